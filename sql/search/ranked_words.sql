-- Applied after the migrations whenever it changes: films ranked by the words of a question, for searches.

-- The films that pass a condition and have a title of one of these keys: titles and original titles first, of these the normalised
-- titles of `preferred`, then by votes.
drop function if exists catalog.films_titled(text[], text, integer);
create or replace function catalog.films_titled(
    wanted text[], condition text, most integer, preferred text[] default '{}') returns bigint[]
language plpgsql stable
set jit = off
set random_page_cost = 1.1
set enable_seqscan = off
as $$
declare
    films bigint[] := array(select distinct n.title_id from catalog.title_names n where n.key = any (wanted) and n.key <> '');
begin
    if films <> '{}' then
        execute format(
            'select array(
                 select n.title_id from catalog.title_names n
                 join catalog.titles m using (title_id) left join catalog.title_stats s using (title_id)
                 where n.title_id = any ($1) and n.key = any ($2) and %s
                 group by n.title_id
                 order by min((n.kind not in (''title'', ''original''))::integer),
                     bool_or(n.normalised = any ($4)) desc, max(s.vote_count) desc nulls last, n.title_id
                 limit $3)', condition)
        into films using films, wanted, most, preferred;
    end if;
    return films;
end
$$;

-- The films of some media types that pass a condition and have the most of the listed words, by the sum of the words' rarities:
-- so many of them, by that sum and by votes, without those that have less than a third of what the best one has. keys are of catalog.posting_keys. Words
-- are read from the rarest on until 10,000 films were read, as the words after that say little. Films of `without` are left out.
-- Without a condition, the sum of the last film that is returned is at least a third of the greatest rarity, and at least the
-- rarity of a word that as many films have as are wanted. Films that have only common words with a smaller sum than that
-- (is_enough: false) are not summed up, as they are most of those that are read.
drop function if exists catalog.films_with_words(text[], double precision[], text, bigint[], integer);
create or replace function catalog.films_with_words(
    keys text[], rarities double precision[], condition text, without bigint[], most integer, media text[] default '{movie}')
returns bigint[]
language plpgsql stable
set jit = off
set random_page_cost = 1.1
as $$
declare
    films bigint[];
begin
    execute format(
        'with listed as materialized (
             select t.rarity, p.page, p.films, cardinality(p.films) as number,
                 sum(cardinality(p.films)) over following as so_far, row_number() over following as place
             from unnest($1, $2) t (key, rarity) join catalog.postings p on p.key = t.key and p.page = any ($5)
             window following as (order by t.rarity desc, p.key, p.part, p.page)
         ), read as materialized (
             select l.page, l.rarity, l.films, %s or sum(l.rarity) over (order by l.place desc) >= 0.999 * greatest(
                 max(l.rarity) over () / 3, max(l.rarity) filter (where l.number >= $4 + cardinality($3)) over ()) as is_enough
             from listed l where l.number > 0 and l.so_far - l.number < 10000
             order by l.place
         ), likely as materialized (
             select r.page * 1000000000::bigint + unnest(r.films) as title_id, r.rarity from read r where r.is_enough
         ), found as materialized (
             select f.title_id, sum(f.rarity) as known
             from (
                 select l.title_id, l.rarity from likely l
                 union all
                 select c.title_id, c.rarity
                 from (
                     -- Unnesting is faster here than in the FROM clause.
                     select r.page * 1000000000::bigint + unnest(r.films) as title_id, r.rarity from read r where not r.is_enough
                 ) c
                 where (c.title_id in (select l.title_id from likely l)) is true  -- by a hash table, not as a join
             ) f %s
             where %s
             group by f.title_id
         ), best as materialized (
             select greatest(case when count(*) = $4 + cardinality($3) then min(b.known) end, max(b.known) / 3) as least
             from (select f.known from found f order by f.known desc limit $4 + cardinality($3)) b
         )
         select array_agg(f.title_id order by f.known desc, f.votes desc, f.title_id)
         from (
             select f.title_id, f.known, coalesce(s.vote_count, 0) as votes
             from found f left join catalog.title_stats s using (title_id)
             where f.known >= (select b.least from best b) and f.title_id <> all ($3)
             order by f.known desc, s.vote_count desc nulls last, f.title_id limit $4
         ) f',
        (condition <> 'true')::text, case when condition = 'true' then '' else 'join catalog.titles m on m.title_id = f.title_id' end,
        condition)
    into films using keys, rarities, without, most,
        array(select array_position(catalog.media_types(), m) - 1 from unnest(media) m);
    return coalesce(films, '{}');
end
$$;

-- A score for each of these films by the words of a question: for each word its rarity times its weight in the film's document,
-- plus a quarter of the rarities of two words that stand side by side as in the question; times 1 + ln(1 + votes) / 20. The weight
-- of a word is ts_rank's by field: title 1, people 0.6, keywords and genres 0.3, tagline and overview 0.1 for one or two
-- words; rising evenly to 1, 0.9, 0.8 and 0.7 for six words or more, which are rather a plot than a title. A plot's score is more by
-- up to a fifth for texts of fewer than 50 words, and less for longer ones; that of fewer words is down to a half for titles
-- with other words too, and for those with none of the question.
create or replace function catalog.scored_by_words(
    films bigint[], terms tsquery[], rarities double precision[], pairs tsquery[], pair_rarities double precision[])
returns table (tmdb_id bigint, score double precision, votes integer)
language sql stable
set jit = off
as $$
    with read as materialized (
        -- Looked up once: what is stored out of line would be fetched again for each word.
        select d.title_id, d.words || '' as words, case when cardinality(terms) < 6 then ts_filter(d.titles, '{a}') end as title,
            coalesce(s.vote_count, 0) as votes
        from unnest(films) f (title_id)
        join catalog.title_documents d using (title_id) left join catalog.title_stats s using (title_id)
    ), plot as materialized (
        select array[0.1 + 0.6 * n.share, 0.3 + 0.5 * n.share, 0.6 + 0.3 * n.share, 1]::real[] as weights, n.share,
            catalog.any_of(terms) as any_of_them
        from (select least(1, greatest(0, (cardinality(terms) - 2) / 4.0))) n (share)
    )
    select r.title_id, (
            (select sum(t.rarity * ts_rank(p.weights, r.words, t.query)) from unnest(terms, rarities) t (query, rarity))
            + coalesce((
                select sum(p.rarity) / 4 from unnest(pairs, pair_rarities) p (query, rarity) where r.words @@ p.query), 0)
        )
        / (1 + 0.2 * p.share * (length(ts_filter(r.words, '{c,d}')) / 50.0 - 1))
        * (1 - 0.5 * (1 - p.share) * (1 - case
            -- A title has two forms of most words.
            when r.title @@ p.any_of_them then least(1, 2.0 * cardinality(terms) / length(r.title)) else 0 end))
        * (1 + ln(1 + r.votes) / 20), r.votes
    from read r cross join plot p
$$;

-- The films that a question means by its words, best first, and their scores: steps 1 to 7 of catalog.search_movies. by_title has those
-- that were found by their title, by_slip those of them with a title one slip away; plain is the normalised question; forms,
-- meant_words and known_text are of catalog.read_question; year_from and year_to are the years of release that the question names
-- (catalog.read_wording), if it is no title. condition is that of the filters, which also have the media types; null: movies.
drop function if exists catalog.films_by_words(text, text, integer), catalog.films_of_question(text, text, integer);  -- its former forms
create or replace function catalog.films_of_question(
    question text, condition text, most integer, filters jsonb default null,
    out films bigint[], out scores double precision[], out by_title bigint[], out by_slip bigint[], out forms text[],
    out meant_words text[], out plain text, out known_text text, out year_from integer, out year_to integer)
language plpgsql stable
set jit = off
set random_page_cost = 1.1
-- The planner underestimates the cost of reading every document to compare its words.
set enable_seqscan = off
as $$
declare
    sought text := catalog.title_key(left(question, 300));
    media text[] := catalog.media_of(coalesce(filters, '{}'));
    years text := '';
    words record;
    titled bigint[] := '{}';
    listed bigint[];
    more bigint[];
    more_scores double precision[];
    wanted tsquery;
    wording record;
    is_begun boolean;
    slips text[];
    with_article text[] := '{}';
begin
    plain := coalesce(catalog.normalised(left(question, 2000)), '');
    select * into words from catalog.read_question(plain, media);
    forms := words.forms;
    meant_words := words.meant_words;
    known_text := words.known_text;
    by_slip := '{}';
    films := catalog.films_titled(array[sought], condition, most);
    if films = '{}' then
        films := catalog.films_titled(catalog.title_variants(plain), condition, most);
    end if;
    if films = '{}' then
        slips := catalog.slips_of(plain, sought);
        -- An article that was typed tells titles apart that are one slip away without it.
        with_article := case
            when sought <> replace(plain, ' ', '') and length(plain) <= 44 then catalog.one_edit_away(plain) else '{}' end;
    end if;
    by_title := films;
    films := films || array(
        select f from unnest(catalog.films_of_series(question, condition, most)) with ordinality s (f, place)
        where f <> all (films) order by place limit greatest(0, most - cardinality(films)));
    -- Stop words are left out of what titles are compared with below, so a title with all of them may be a slip away.
    if films = '{}' and (
        words.is_mended or cardinality(words.terms) < cardinality(string_to_array(plain, ' ')) - (plain ~ '^(the|an?) ')::integer)
    then
        by_slip := catalog.films_titled(slips, condition, most, with_article);
        films := by_slip;
    end if;
    foreach wanted in array case
        when words.is_begun then array[words.begun, catalog.all_of(words.terms)]
        else array[catalog.all_of(words.terms), case when films = '{}' then words.begun end]
    end loop
        continue when wanted is null or titled <> '{}' or cardinality(films) >= most;
        execute format(
            'select array(
                 select d.title_id from catalog.title_documents d join catalog.titles m on m.title_id = d.title_id
                 left join catalog.title_stats s on s.title_id = d.title_id
                 where d.titles @@ $1 and d.title_id <> all ($2) and %s
                 order by s.vote_count desc nulls last, d.title_id limit $3)', condition)
        into titled using wanted, films, greatest(100, 2 * most);
    end loop;
    if films = '{}' and titled = '{}' and not words.is_mended then
        by_slip := catalog.films_titled(slips, condition, most, with_article);
        films := by_slip;
    end if;
    by_title := by_title || by_slip || titled;
    scores := array(select 1 + 1.0::double precision / n from generate_series(1, cardinality(films)) n order by n);
    is_begun := words.is_begun;
    select * into wording from catalog.read_wording(plain);
    if wording.rest <> plain and films = '{}' then
        year_from := wording.year_from;
        year_to := wording.year_to;
        years := case when year_from is not null then format(' and m.release_year between %s and %s', year_from, year_to) else '' end;
        condition := condition || years;
        select * into words from catalog.read_question(wording.rest, media);
        forms := words.forms;
        meant_words := words.meant_words;
        known_text := words.known_text;
    end if;
    if wording.is_all and films = '{}' then
        execute format(
            'select array(
                 select m.title_id from catalog.titles m left join catalog.title_stats s using (title_id) where %s
                 order by s.vote_count desc nulls last, m.title_id limit $1)', condition)
        into films using most;
        scores := array(select 1.0::double precision / n from generate_series(1, cardinality(films)) n order by n);
        return;
    end if;
    if words.terms is null or cardinality(films) >= most then
        return;
    end if;
    if cardinality(films) + cardinality(titled) < most then
        listed := catalog.films_with_words(
            words.keys, words.key_rarities,
            coalesce(catalog.condition_of(filters || jsonb_build_object('media_types', catalog.media_types())) || years, condition),
            films || titled, greatest(100, 2 * most) - cardinality(titled), media);
    end if;
    with scored as materialized (
        select s.*, s.title_id = any (titled) as is_titled, max(s.score) over () as best,
            is_begun and s.title_id = any (titled) and exists (
                select from catalog.title_names n
                where n.title_id = s.title_id and n.kind in ('title', 'original') and starts_with(n.key, sought)) as starts_so
        from catalog.scored_by_words(
            titled || listed, words.terms, words.rarities, words.pairs, words.pair_rarities) s (title_id)
    ), placed as (
        select s.title_id, row_number() over (
                order by s.is_titled desc, s.starts_so desc, s.score desc, s.votes desc, s.title_id) as place,
            case
                -- "star w": titles that begin so come before those that have both words.
                when s.is_titled and is_begun then case when s.starts_so then 0.75 else 0.5 end
                    + 0.25 * s.score / nullif(max(s.score) over (partition by s.is_titled), 0)
                when s.is_titled then 0.5 + 0.5 * s.score / nullif(max(s.score) over (partition by s.is_titled), 0)
                when titled = '{}' then s.score / s.best else 0.5 * s.score / s.best
            end as share
        from scored s where s.is_titled or s.score > 0
    )
    select array_agg(p.title_id order by p.place), array_agg(coalesce(p.share, 0.5) order by p.place) into more, more_scores
    from placed p where p.place <= most - cardinality(films);
    films := films || more;
    scores := scores || more_scores;
end
$$;

-- The films nearest to a vector, with a score by the words of a text: 1 for the best of them. Those without a word are left out.
create or replace function catalog.near_films_by_words(
    needle vector, question text, conditions jsonb, in_set integer, most integer,
    out films bigint[], out scores double precision[], out forms text[], out meant_words text[])
language plpgsql stable
as $$
declare
    words record;
begin
    select * into words from catalog.read_question(coalesce(catalog.normalised(left(question, 2000)), ''), catalog.media_of(conditions));
    forms := words.forms;
    meant_words := words.meant_words;
    select array_agg(s.title_id order by s.score desc, s.votes desc, s.title_id),
        array_agg(s.score / s.best order by s.score desc, s.votes desc, s.title_id)
    into films, scores
    from (
        select c.*, max(c.score) over () as best
        from catalog.scored_by_words(
            array(select n.title_id from catalog.nearest_titles(needle, most, conditions, in_set) n),
            words.terms, words.rarities, words.pairs, words.pair_rarities) c (title_id)
        where words.terms is not null
    ) s
    where s.score > 0;
    films := coalesce(films, '{}');
    scores := coalesce(scores, '{}');
end
$$;
