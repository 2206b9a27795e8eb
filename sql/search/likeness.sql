-- Applied after the migrations whenever it changes: questions for films like another one, series by name, other spellings of titles.

-- The key by which a series is found: the key of its name without "Collection" and the like.
create or replace function catalog.series_key(name text) returns text
language plpgsql immutable strict parallel safe
as $$
declare
    plain text := catalog.normalised(left(name, 300));
    short text := regexp_replace(
        regexp_replace(plain, '^(all |the )+(?=.)', ''),
        '(?<=.)( (collection|movies?|films?|series|saga|trilogy|franchise|anthology|filmreihe|reihe))+$', '');
begin
    return catalog.title_key(short);
end
$$;

-- Built anew whenever this file changes, because it has the keys as they were. So change this file with catalog.normalised().
drop index if exists catalog.collections_series;
create index collections_series on catalog.collections (catalog.series_key(name));

-- The films of the series of this name that pass a condition, in the order of their release.
create or replace function catalog.films_of_series(name text, condition text, most integer) returns bigint[]
language plpgsql stable
set jit = off
set random_page_cost = 1.1
set enable_seqscan = off
as $$
declare
    films bigint[];
begin
    execute format(
        'select array(
             select m.title_id from catalog.collections c join catalog.titles m on m.collection_id = c.collection_id
             where catalog.series_key(c.name) = $1 and $1 <> '''' and %s
             order by m.release_date nulls last, m.title_id limit $2)', condition)
    into films using catalog.series_key(name), most;
    return films;
end
$$;

-- The keys of other spellings of a normalised title: "2", "two", "II", "part 2" and "vol. II" for one another, up to twenty; a
-- letter written as the digit that looks like it, or the other way round (se7en). At most some 200.
create or replace function catalog.title_variants(plain text) returns text[]
language plpgsql immutable parallel safe
as $$
declare
    digits constant text[] := '{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20}';
    romans constant text[] :=
        '{i,ii,iii,iv,v,vi,vii,viii,ix,x,xi,xii,xiii,xiv,xv,xvi,xvii,xviii,xix,xx}';
    names constant text[] :=
        '{one,two,three,four,five,six,seven,eight,nine,ten,eleven,twelve,thirteen,fourteen,fifteen,sixteen,seventeen,'
        'eighteen,nineteen,twenty}';
    words text[] := string_to_array(left(plain, 300), ' ');
    titles text[] := '{""}';
    heads text[];
    number integer;
    place integer := 1;
    word text;
    joined text;
begin
    while place <= cardinality(words) loop
        word := words[place];
        heads := '{""}';
        if word in ('part', 'pt', 'volume', 'vol', 'chapter', 'episode') and place < cardinality(words) then
            number := coalesce(array_position(digits, words[place + 1]), array_position(romans, words[place + 1]),
                array_position(names, words[place + 1]));
            heads := case when number is not null then array['', 'part ', 'volume ', 'vol ', word || ' '] else '{""}' end;
            place := place + case when number is null then 0 else 1 end;
        else
            number := coalesce(array_position(digits, word), array_position(romans, word), array_position(names, word));
            heads := case when number is not null and place > 1 then '{"",part ,volume ,vol }'::text[] else '{""}' end;
        end if;
        titles := array(
            select distinct t || h || w from unnest(titles) t, unnest(heads) h,
                unnest(case when number is null then array[word] else array[digits[number], romans[number], names[number]] end) w
            limit 128);
        titles := array(select t || ' ' from unnest(titles) t);
        place := place + 1;
    end loop;
    joined := catalog.title_key(plain);
    return array(
        select distinct k.key from (
            select catalog.title_key(t) as key from unnest(titles) t
            union all
            select overlay(joined placing l.digit from n for 1)
            from generate_series(1, length(joined)) n
            join (values ('o', '0'), ('i', '1'), ('l', '1'), ('e', '3'), ('a', '4'), ('s', '5'), ('t', '7'), ('v', '7'), ('b', '8'))
                l (letter, digit) on substr(joined, n, 1) in (l.letter, l.digit)
            where length(joined) between 4 and 20 and substr(joined, n, 1) = l.letter
            union all
            select overlay(joined placing l.letter from n for 1)
            from generate_series(2, length(joined) - 1) n
            join (values ('o', '0'), ('i', '1'), ('l', '1'), ('e', '3'), ('a', '4'), ('s', '5'), ('t', '7'), ('v', '7'), ('b', '8'))
                l (letter, digit) on substr(joined, n, 1) = l.digit
            where length(joined) between 4 and 20 and substr(joined, n - 1, 3) ~ '^[a-z][0-9][a-z]$'
        ) k
        where k.key <> joined and k.key <> '');
end
$$;

-- What a normalised question for films like another one names: "movies like X", "something similar to X", "X but funnier". film
-- is the film that X means, the most voted one of a series of that name; null if the question is none of these or no film is
-- called X. but: the words after "but", null without any.
drop function if exists catalog.read_likeness(text);
create or replace function catalog.read_likeness(plain text, media text[] default '{movie}', out film bigint, out but text)
language plpgsql stable
as $$
declare
    verbs constant text := '^(?:(?:please|show|find|give|recommend|suggest|me|us|i|want|need|would|looking|for|to|see|watch|a|an|some|any|'
        'more|other|the|good|great|best|movies?|films?|flicks?|something|anything|stuff|one|ones|that|are|is|were|what|which|very|much) )*'
        '(?:like|similar to|in the style of|in the vein of|reminiscent of|comparable to) (.+)$';
    named text := (regexp_match(left(plain, 300), verbs))[1];
    parts text[] := regexp_match(coalesce(named, left(plain, 300)), '^(.+?) but (?:(?:more|much|a|bit|with|in|the) )*(.+)$');
begin
    if named is not null then
        film := catalog.film_called(named, media => media);
    end if;
    -- Without "like", a few words before "but" that are a title; other words tell a plot.
    if film is null and parts is not null and (named is not null or cardinality(string_to_array(parts[1], ' ')) <= 5) then
        film := catalog.film_called(parts[1], is_certain => named is null, media => media);
        but := case when film is not null then parts[2] end;
    end if;
end
$$;

-- The film that a title means without much doubt (is_certain: without a slip), or the most voted one of the series of that name;
-- null if there is none.
drop function if exists catalog.film_called(text, boolean);
create or replace function catalog.film_called(name text, is_certain boolean default false, media text[] default '{movie}')
returns bigint
language plpgsql stable
as $$
declare
    film bigint;
begin
    select c.title_id into film from catalog.candidates_for(name, null, 1, jsonb_build_object('media_types', media)) c (title_id)
    where case when is_certain then c.matched_by ~ '^(exact|normalised|loose)' else c.matched_by !~ '^similar' or c.confidence >= 0.6 end;
    if film is null then
        select f.title_id into film
        from unnest(catalog.films_of_series(name, 'true' || catalog.condition_of_media(media), 100)) f (title_id) left join catalog.title_stats s using (title_id)
        order by s.vote_count desc nulls last, f.title_id limit 1;
    end if;
    return film;
end
$$;

-- The words after "but" with the genre that a comparison means: "funnier" is also a comedy.
create or replace function catalog.with_genres(but text) returns text
language sql immutable parallel safe
return (
    select but || coalesce(string_agg(' ' || g.genre, '' order by g.genre), '')
    from (values
        ('comedy', 'funny|funnier|hilarious|light|lighter|humou?r|comedic'), ('horror', 'scary|scarier|creepy|creepier|terrifying'),
        ('romance', 'romantic|love'), ('family', 'kids?|children|childrens?'), ('animation', 'animated|cartoons?'),
        ('drama', 'sad|sadder|serious|dramatic'), ('action', 'exciting|explosive'), ('science fiction', 'scifi|sci fi|space'),
        ('music', 'musical|songs?')
    ) g (genre, words)
    where but ~ ('\m(' || g.words || ')\M'));

-- What a normalised question of up to eight words means by its wording. year_from and year_to: the years of release that it names
-- ("90s", "1990s", "nineties"), null if there are none, if they are those of the plot ("set in the 90s", "in the 90s" unless words for
-- films or a genre stand before it), or if there are two. rest: the question without them, with the genres that other words stand for:
-- "sci fi" and "romcom" are replaced by them, adjectives such as "scary" are followed by them. is_all: nothing but the years is said.
create or replace function catalog.read_wording(
    plain text, out year_from integer, out year_to integer, out rest text, out is_all boolean)
language plpgsql immutable parallel safe
as $$
declare
    names constant text[] := '{twenties,thirties,forties,fifties,sixties,seventies,eighties,nineties}';
    decade constant text :=
        '\m((?:19|20)?\d0s|twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties|noughties)\M';
    kinds constant text := '(?:movies?|films?|flicks?|hits|classics|comed(?:y|ies)|romcoms?|horrors?|dramas?|thrillers?|westerns?|'
        'cartoons?|musicals?|action|sci fi|scifi|fiction|romances?|adventures?|documentar(?:y|ies))';
    before constant text := '(?:(?:made|released) )?(?:(?:from|of|in) )?(?:the )?(?:(?:early|mid|late) )?';
    named text[];
begin
    rest := plain;
    is_all := false;
    if cardinality(string_to_array(plain, ' ')) > 8 then
        return;
    end if;
    named := array(select m[1] from regexp_matches(plain, decade, 'g') m);
    if cardinality(named) = 1 and plain !~ ('\m(set|place) in (the )?((early|mid|late) )?' || decade)
        and (plain !~ ('\m(in|during) (the )?((early|mid|late) )?' || decade) or plain ~ ('\m' || kinds || ' ' || before || decade))
    then
        year_from := case
            when named[1] = 'noughties' then 2000
            when named[1] ~ '^\d{4}' then left(named[1], 4)::integer
            when named[1] ~ '^\d' then left(named[1], 2)::integer + case when left(named[1], 2) < '20' then 2000 else 1900 end
            else 1910 + 10 * array_position(names, named[1])
        end;
        year_to := year_from + 9;
        rest := btrim(regexp_replace(regexp_replace(rest, '\m' || before || decade, ' '), ' +', ' ', 'g'));
        is_all := string_to_array(rest, ' ') <@ (catalog.words_for_films() || '{all,best,good,great,top,the,some,a,of,popular}'::text[]);
    end if;
    rest := regexp_replace(rest, '\m(sci fi|scifi|sf)\M', 'science', 'g');  -- “fiction” is in titles of other films
    rest := regexp_replace(rest, '\m(romcoms?|rom coms?)\M', 'romance comedy', 'g');
    rest := regexp_replace(rest, '\m(whodunn?its?)\M', 'mystery', 'g');
    rest := regexp_replace(rest, '\m(docs|docus?)\M', 'documentary', 'g');
    rest := rest || coalesce((
        select string_agg(' ' || g.genre, '' order by g.genre)
        from (values
            ('comedy', 'funny|hilarious|comedic|comedies'), ('horror', 'scary|creepy|terrifying'), ('romance', 'romantic'),
            ('family', 'kids?|children'), ('animation', 'animated|cartoons?')) g (genre, words)
        where rest ~ ('\m(' || g.words || ')\M')), '');
end
$$;
