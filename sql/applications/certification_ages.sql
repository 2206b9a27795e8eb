-- Applied after the migrations whenever it changes: the ages that certifications stand for, written by hand. Each line names the
-- boards' own definition of a label. A label that only advises parents, without an age, counts as 10, or as the age that its board
-- names in the advice. Labels with a number are read by catalog.certification_age and have no line, unless the number is not
-- the age. "none" marks labels that say that a title was not certified.

create temp table hand_written on commit drop as
select distinct on (1, 2, 3) media.media_type, country.country, btrim(split_part(label.pair, '=', 1)) as label,
    nullif(btrim(split_part(label.pair, '=', 2)), 'none')::smallint as age, board.source
from (values
    ('movie', 'US PR', 'Motion Picture Association (MPA), ratings of films',
     'G = 0; PG = 10; R = 17; NC-17 = 18; NR = none; UR = none; Not Rated = none; Unrated = none'),
    ('series', 'US PR', 'TV Parental Guidelines Monitoring Board',
     'TV-Y = 0; TV-G = 0; TV-PG = 10; TV-MA = 17; NR = none; Not Rated = none'),
    ('movie', 'CA', 'Canadian Home Video Rating System and provincial boards', 'G = 0; PG = 10; R = 18; A = 18; E = none'),
    ('series', 'CA', 'Canadian Broadcast Standards Council, AGVOT', 'C = 0; G = 0; PG = 8; Exempt = none; E = none'),
    ('movie series', 'CA-QC', 'Ministère de la Culture du Québec, classement des films', 'G = 0; E = none'),
    ('movie series', 'GB', 'British Board of Film Classification (BBFC)', 'U = 4; Uc = 0; PG = 8; E = none'),
    ('movie series', 'IE', 'Irish Film Classification Office (IFCO); RTÉ for television',
     'G = 0; PG = 8; GA = 0; Ch = 0; YA = 12; PS = 15; MA = 18'),
    ('movie series', 'DE AT CH', 'FSK; Austrian Jugendmedienkommission; Swiss Kommission JIF',
     'FSK 0 = 0; Unrestricted = 0; o.A. = 0; K = 0; AA = 0'),
    ('movie series', 'FR BE LU', 'CNC, visa d''exploitation; Arcom; Kijkwijzer Belgium; Luxembourg commission de surveillance',
     'U = 0; TP = 0; T = 0; Tous publics = 0; Tous = 0; AL = 0; KT = 0; EA = 0; KNT = 16; NR = none'),
    ('movie series', 'NL', 'NICAM, Kijkwijzer', 'AL = 0; NR = none'),
    ('movie series', 'AU', 'Australian Classification Board; PG is advice for children below 15, which is no age of its own',
     'G = 0; P = 0; C = 5; PG = 10; M = 15; AV = 15; RC = 18; E = none'),
    ('movie series', 'NZ', 'Classification Office Te Mana Whakaatu; Broadcasting Standards Authority for television',
     'G = 0; PG = 10; PGR = 10; M = 16; R = 18; RP = 18; AO = 18'),
    ('movie series', 'BR', 'Classificação Indicativa (ClassInd), Ministério da Justiça', 'L = 0; ER = 0; AL = 0'),
    ('movie series', 'IN', 'Central Board of Film Certification (CBFC)', 'U = 0; UA = 12; U/A = 12; A = 18; S = 18'),
    ('movie series', 'JP', 'Eirin, Film Classification and Rating Organization', 'G = 0'),
    ('movie series', 'SE', 'Statens medieråd', 'Btl = 0; Barntillåten = 0'),
    ('movie series', 'DK', 'Medierådet for Børn og Unge; F is exempt', 'A = 0; F = none'),
    ('movie series', 'NO', 'Medietilsynet', 'A = 0'),
    ('movie series', 'FI', 'Kansallinen audiovisuaalinen instituutti (KAVI)', 'S = 0; K = 18; KK = none'),
    ('movie series', 'IS', 'FRÍSK, Kvikmyndaskoðun', 'L = 0'),
    ('movie series', 'ES', 'ICAA, Ministerio de Cultura; CNMC for television',
     'A = 0; A/i = 0; Ai = 0; APTA = 0; TP = 0; i = 0; Infantil = 0; ERI = 0; X = 18'),
    ('movie series', 'PT', 'IGAC, Comissão de Classificação', 'Públicos = 0; T = 0; Todos = 0; A = 0; P = 18'),
    ('movie series', 'IT', 'MiC, Commissione per la classificazione; BA is for children with an adult',
     'T = 0; BA = 10; VM = 18'),
    ('movie series', 'GR', 'Greek Ministry of Culture; ESR for television', 'K = 0; Κ = 0; Unrestricted = 0; ALL = 0'),
    ('movie series', 'TR', 'Kültür ve Turizm Bakanlığı; RTÜK for television',
     'Genel İzleyici Kitlesi = 0; Genel İzleyici = 0; G = 0'),
    ('movie series', 'HU', 'NMHH', 'KN = 0; Unrated = none; Children = 0; X = 18'),
    ('movie series', 'PL', 'KRRiT', 'AL = 0; B/O = 0; b.o. = 0'),
    ('movie series', 'CZ SK', 'Ministry of Culture of the Czech Republic; Rada pre mediálne služby', 'U = 0; E = none; X = 18'),
    ('movie series', 'RO', 'CNC Romania; Consiliul Naţional al Audiovizualului', 'A.G. = 0; AG = 0; G = 0; A.P. = 12; AP = 12; IC = 18; Y = 0'),
    ('movie series', 'BG', 'National Film Center of Bulgaria', 'A = 0; B = 0; C = 12; D = 16; X = 18'),
    ('movie series', 'LT', 'Interinstitutional commission for film indexing; LRTK', 'V = 0; S = 18'),
    ('movie series', 'LV', 'Nacionālais Kino centrs', 'U = 0'),
    ('movie series', 'EE', 'Estonian Ministry of Culture', 'PERE = 0; L = 0'),
    ('movie series', 'UA', 'Ukrainian State Film Agency', 'ДА = 0; ЗА = 0; DA = 0; ZA = 0; U = 0'),
    ('movie series', 'RU', 'Federal law 436-FZ', 'NR = none'),
    ('movie series', 'KR', 'Korea Media Rating Board (KMRB)', 'ALL = 0; All = 0; Exempt = none; Restricted Screening = 19'),
    ('movie series', 'HK', 'Office for Film, Newspaper and Article Administration', 'I = 0; IIA = 12; IIB = 16; III = 18; PG = 10; M = 18'),
    ('movie series', 'MO', 'Instituto Cultural de Macau', 'A = 0; B = 13; C = 18; D = 18'),
    ('movie series', 'TW', 'Ministry of Culture of Taiwan', 'G = 0; P = 6; R = 18; 普 = 0; 護 = 6; 輔 = 15; 限 = 18'),
    ('movie series', 'SG', 'Infocomm Media Development Authority (IMDA)', 'G = 0; PG = 10'),
    ('movie series', 'MY', 'Lembaga Penapisan Filem', 'U = 0; P = 13; SG = 18; SX = 18; PL = 18'),
    ('movie series', 'TH', 'Ministry of Culture of Thailand; NBTC', 'P = 0; G = 0; ส = 0; ท = 0; ฉ = 20; Banned = 20; - = 20'),
    ('movie series', 'PH', 'Movie and Television Review and Classification Board (MTRCB)', 'G = 0; PG = 13; SPG = 18; X = 18'),
    ('movie series', 'ID', 'Lembaga Sensor Film; Komisi Penyiaran Indonesia',
     'SU = 0; P = 0; A = 7; R = 13; D = 18; P-2+ = 2'),
    ('movie series', 'VN', 'Ministry of Culture, Sports and Tourism of Vietnam', 'P = 0; K = 13; C = 18'),
    ('movie series', 'IL', 'Israel Film Council', 'All = 0; G = 0; E = 0; כולם = 0'),
    ('movie series', 'AR', 'INCAA', 'ATP = 0; C = 18'),
    ('movie series', 'MX', 'RTC, Secretaría de Gobernación', 'AA = 0; A = 0; B = 12; C = 18; D = 18'),
    ('movie series', 'CL', 'Consejo de Calificación Cinematográfica; CNTV for television',
     'TE = 0; I = 0; F = 0; R = 12; A = 18'),
    ('movie series', 'CO', 'Ministerio de Cultura de Colombia', 'T = 0; Todos = 0; X = 18; Prohibida = 18'),
    ('movie series', 'PE', 'Ministerio de Transportes y Comunicaciones del Perú', 'APT = 0; Apt = 0; A = 18'),
    ('movie series', 'VE', 'Ministerio de Interior y Justicia de Venezuela', 'AA = 0; TU = 0; SU = 18; D = 18'),
    ('movie series', 'ZA', 'Film and Publication Board (FPB)',
     'A = 0; All = 0; Family = 0; PG = 10; X18 = 18; XX = 18; Z = none'),
    ('movie series', 'AE SA', 'UAE Media Council; General Authority of Media Regulation', 'G = 0; PG = 10'),
    ('movie series', 'VI', 'Motion Picture Association (MPA) and TV Parental Guidelines, as in the United States',
     'G = 0; PG = 10; R = 17; NC-17 = 18; NR = none; TV-Y = 0; TV-G = 0; TV-PG = 10; TV-MA = 17'),
    ('movie series', 'AR BE BG CA-QC CH CL CZ DE DK EE ES FI GB GR HK HU IE IL IN IS IT JP KR LT LU LV MA MX MY NO NZ PH PL PT RO SE SG SK '
     'TH TR TW UA ZA', 'no board: the label says that the title was not rated',
     'NR = none; UR = none; Not Rated = none; Unrated = none')
) as board (media_types, countries, source, labels)
cross join lateral string_to_table(board.media_types, ' ') as media (media_type)
cross join lateral string_to_table(board.countries, ' ') as country (country)
cross join lateral string_to_table(board.labels, ';') as label (pair)
order by 1, 2, 3, board.source like 'no board%';

-- The ages of titles follow, but not of a catalogue whose stored responses are to be read for the first time.
do $$
declare
    is_first boolean := not exists (select from catalog.certification_ages);
    changed catalog.certification_ages[];
begin
    with removed as (
        delete from catalog.certification_ages a
        where not exists (
            select from hand_written h
            where (h.media_type, h.country, h.label) = (a.media_type, a.country, a.label))
        returning a
    ), written as (
        insert into catalog.certification_ages as a select * from hand_written
        on conflict (media_type, country, label) do update set age = excluded.age, source = excluded.source
        where (a.age, a.source) is distinct from (excluded.age, excluded.source)
        returning a
    )
    select array_agg(e.a) into changed from (select a from removed union all select a from written) e;
    if not is_first then
        update catalog.title_certifications c set age = catalog.strictest_age(c.title_id, c.country)
        where (c.title_id, c.country) in (
            select t.title_id, t.country from catalog.title_certifications t join unnest(changed) e
                on (e.country, e.label, e.media_type) = (t.country, t.certification, catalog.media_type(t.title_id))
            union
            select r.title_id, r.country from catalog.release_dates r join unnest(changed) e
                on (e.country, e.label, e.media_type) = (r.country, r.certification, 'movie'));
    end if;
    drop table hand_written;
end
$$;
