-- Applied after the migrations whenever it changes: films by words and by meaning, for applications.

-- Films are searched by words in these steps; the results of an earlier step stay before those of a later one:
--   1. films with exactly this title, whatever its case, accents, punctuation and article (see catalog.find_movie);
--   2. films with a title one slip away, if a word of the question is one that hardly any film has;
--   3. films with every word in their titles;   4. films with every word somewhere;
--   and, while that is less than match_count: 5. a title one slip away; 6. at least two of the six rarest words; 7. any of the rarest
--   words; of the last two, those that score half of what the best one does.
-- Within a step: for each word its rarity times the weight of the field (title 1, people 0.6, keywords and genres 0.3,
-- tagline and overview 0.1), half as much again for words that stand side by side as in the question, and a little for
-- votes: times 1 + ln(1 + votes) / 20. English stop words are left out unless there are only such. A word that hardly any
-- film has also stands for its nearest neighbours (catalog.nearest_words). Of a very common word, the 300 films with the
-- most votes are ranked.
-- With a query_embedding (made by the model of the active set, or of in_set), the first 100 by words and the first 100 by meaning
-- (catalog.match_movies), or match_count if that is more, are fused by reciprocal rank: score is the sum of 1 / (60 + rank),
-- and a film that has the very title (steps 1, 2, 5) has its rank by words counted twice. Ties go to the one with the words.
-- found_by: title, people, keywords, overview: where a word is; spelling: a word was mended; meaning: the vector.
-- filters: see catalog.condition_of.
create or replace function catalog.search_movies(
    query text,
    match_count integer default 10,
    filters jsonb default '{}',
    query_embedding vector default null,
    in_set integer default null
)
returns table (tmdb_id bigint, title text, release_year smallint, score double precision, found_by text[])
language plpgsql stable
set jit = off
set random_page_cost = 1.1
-- The planner underestimates the cost of reading every document to compare its words.
set enable_seqscan = off
as $$
declare
    plain text := coalesce(catalog.normalised(left(query, 2000)), '');
    sought text := catalog.title_key(left(query, 300));
    condition text := catalog.condition_of(catalog.limited_filters(filters));
    most integer := catalog.limited_count(match_count);
    depth integer := greatest(most, case when query_embedding is null then 0 else 100 end);
    terms tsquery[];
    pairs tsquery[];
    rarities double precision[];
    pair_rarities double precision[];
    meant_words text[];
    all_words text[];
    rarest tsquery;
    is_mended boolean;
    by_words bigint[] := '{}';
    by_slip bigint[] := '{}';
    more bigint[];
    named bigint[];
    slips text[];
    with_title bigint[];
    of_film text := case when condition = 'true' then '' else 'join catalog.movies m on m.tmdb_id = d.tmdb_id' end;
    titled text := format(
        'select array(
             select n.tmdb_id from catalog.movie_names n
             join catalog.movies m using (tmdb_id) left join catalog.movie_stats s using (tmdb_id)
             where n.tmdb_id = any ($1) and n.key = any ($2) and %s
             group by n.tmdb_id
             order by min((n.kind not in (''title'', ''original''))::integer), max(s.vote_count) desc nulls last, n.tmdb_id
             limit $3)', condition);
    worded text :=
        'select array(
             with found as materialized (
                 select d.tmdb_id, coalesce(s.vote_count, 0) as votes
                 from catalog.search_documents d ' || of_film || ' left join catalog.movie_stats s on s.tmdb_id = d.tmdb_id
                 where d.%1$I @@ $1 and d.tmdb_id <> all ($2) and ' || replace(condition, '%', '%%') || '
                 order by s.vote_count desc nulls last, d.tmdb_id limit 300
             ), read as materialized (
                 -- Looked up once: what is stored out of line would be fetched again for each word.
                 select f.tmdb_id, f.votes,
                     (select d.words || '''' from catalog.search_documents d where d.tmdb_id = f.tmdb_id) as words
                 from found f
             ), scored as (
                 select f.tmdb_id, f.votes, (
                     (select sum(t.rarity * ts_rank(''{0.1, 0.3, 0.6, 1}'', f.words, t.query))
                      from unnest($3, $4) t (query, rarity))
                     + coalesce((select sum(p.rarity) from unnest($5, $6) p (query, rarity) where f.words @@ p.query), 0)
                 ) * (1 + ln(1 + f.votes) / 20) as score
                 from read f
             )
             select c.tmdb_id from scored c
             where not $8 or c.score >= 0.5 * (select max(o.score) from scored o)
             order by c.score desc, c.votes desc, c.tmdb_id limit $7)';
begin
    if query is null or most < 1 then
        return;
    end if;
    with term as materialized (
        select t.place, catalog.any_word(t.forms || t.meant) as query, t.forms, t.meant, t.films,
            ln(1 + greatest(c.reltuples, 1000) / greatest(t.films, 1)) as rarity,
            row_number() over (order by t.place) as number
        from catalog.query_terms(plain) t, pg_class c
        where c.oid = 'catalog.search_documents'::regclass
    )
    select array_agg(t.query order by t.place), array_agg(t.rarity order by t.place),
        array(select tsquery_phrase(a.query, b.query, b.place - a.place)
              from term a join term b on b.number = a.number + 1 where b.place > a.place order by a.place),
        array(select (a.rarity + b.rarity) / 4
              from term a join term b on b.number = a.number + 1 where b.place > a.place order by a.place),
        array(select unnest(o.meant) from term o), array(select unnest(o.forms) from term o),
        bool_or(t.films = 0 or t.meant <> '{}'),
        (select string_agg('(' || r.query::text || ')', ' | ')::tsquery
         from (select o.query, o.films,
                 sum(o.films) over (order by o.films, o.place) as so_far from term o where o.films > 0) r
         where r.so_far = r.films or r.so_far <= 5000)
    into terms, rarities, pairs, pair_rarities, meant_words, all_words, is_mended, rarest
    from term t;

    if sought <> '' then
        named := array(select distinct n.tmdb_id from catalog.movie_names n where n.key = sought);
        if named <> '{}' then
            execute titled into by_words using named, array[sought], depth;
        end if;
    end if;
    if is_mended and by_words = '{}' then
        slips := catalog.slips_of(plain, sought);
        named := array(select distinct n.tmdb_id from catalog.movie_names n where n.key = any (slips));
        if named <> '{}' then
            execute titled into by_slip using named, slips, depth;
            by_words := by_slip;
        end if;
    end if;
    with_title := by_words;
    if terms is not null then
        if cardinality(by_words) < depth then
            execute format(worded, 'titles') into more
            using catalog.all_of(terms), by_words, terms, rarities, pairs, pair_rarities, depth - cardinality(by_words), false;
            by_words := by_words || more;
        end if;
        if cardinality(by_words) < depth then
            execute format(worded, 'words') into more
            using catalog.all_of(terms), by_words, terms, rarities, pairs, pair_rarities, depth - cardinality(by_words), false;
            by_words := by_words || more;
        end if;
        if by_words = '{}' and slips is null then
            slips := catalog.slips_of(plain, sought);
            named := array(select distinct n.tmdb_id from catalog.movie_names n where n.key = any (slips));
            if named <> '{}' then
                execute titled into by_slip using named, slips, depth;
                by_words := by_slip;
                with_title := by_slip;
            end if;
        end if;
        if cardinality(by_words) < most and cardinality(terms) > 2 then
            execute format(worded, 'words') into more
            using catalog.two_of(terms, rarities), by_words, terms, rarities, pairs, pair_rarities, depth - cardinality(by_words), true;
            by_words := by_words || more;
        end if;
        if cardinality(by_words) < most and cardinality(terms) > 1 and rarest is not null then
            execute format(worded, 'words') into more
            using rarest, by_words, terms, rarities, pairs, pair_rarities, depth - cardinality(by_words), true;
            by_words := by_words || more;
        end if;
    end if;

    return query
    with worded as (
        select w.tmdb_id, w.place from unnest(by_words) with ordinality w (tmdb_id, place)
    ), meant as (
        select n.tmdb_id, row_number() over (order by n.similarity desc, n.tmdb_id) as place
        from catalog.match_movies(query_embedding, -1, depth, coalesce(filters, '{}'), in_set) n
        where query_embedding is not null
    ), fused as (
        select f.tmdb_id, coalesce(1.0::double precision / (60 + w.place), 0)
            + coalesce(1.0::double precision / (60 + n.place), 0)
            + case
                when query_embedding is not null and w.place <= cardinality(with_title)
                then 1.0::double precision / (60 + w.place) else 0
            end as score, w.place,
            w.tmdb_id is not null as has_words, n.tmdb_id is not null as has_meaning
        from (select w.tmdb_id from worded w union select n.tmdb_id from meant n) f
        left join worded w using (tmdb_id) left join meant n using (tmdb_id)
    ), first as (
        select f.*, m.title, m.release_year, s.vote_count
        from fused f join catalog.movies m using (tmdb_id) left join catalog.movie_stats s using (tmdb_id)
        order by f.score desc, f.place, s.vote_count desc nulls last, f.tmdb_id
        limit most
    )
    select f.tmdb_id, f.title, f.release_year, f.score, array_remove(array[
        case when f.has_words and (
            terms is null or f.tmdb_id = any (by_slip) or d.words @@ catalog.any_word(all_words || meant_words, 'A'))
        then 'title' end,
        case when f.has_words and d.words @@ catalog.any_word(all_words || meant_words, 'B') then 'people' end,
        case when f.has_words and d.words @@ catalog.any_word(all_words || meant_words, 'C') then 'keywords' end,
        case when f.has_words and d.words @@ catalog.any_word(all_words || meant_words, 'D') then 'overview' end,
        case when f.has_words and (f.tmdb_id = any (by_slip) or d.words @@ catalog.any_word(meant_words)) then 'spelling' end,
        case when f.has_meaning then 'meaning' end
    ], null)
    from first f left join catalog.search_documents d on d.tmdb_id = f.tmdb_id
    order by f.score desc, f.place, f.vote_count desc nulls last, f.tmdb_id;
end
$$;
