-- Applied after the migrations whenever it changes: films by words and by meaning, for applications.

-- Films are searched by words in these steps; the results of an earlier step stay before those of a later one:
--   1. films with exactly this title, whatever its case, accents, punctuation and article, or if there is none in another spelling
--      (see catalog.find_movie);
--   2. the films of the series of this name, in the order of their release (catalog.films_of_series);
--   3. if nothing was found: films with a title one slip away, if a word is one that hardly any film has;
--   4. films with every word in their titles; a last word that no film has, or if there are no such films any last word, may be
--      the start of one;
--      A decade ("90s") in a question of up to eight words that is no title means years of release from here on, and words for a
--      genre ("sci-fi", "romcom", "scary") mean also the genre (catalog.read_wording);
--   5. a title one slip away, if there is nothing until now;
--   6. if that is less than match_count: of the 100 films whose words have the greatest sum of rarities
--      (catalog.films_with_words), or twice match_count if that is more, those that have a third of what the best one has.
-- Within steps 4 and 6 by catalog.scored_by_words, then by votes. English stop words and words for films are left out unless
-- there are only such (catalog.read_question). A word that hardly any film has also stands for its nearest neighbours
-- (catalog.nearest_words).
-- The score by words is 1 + 1 / rank in steps 1, 2, 3 and 5; 0.5 to 1 in step 4; up to 1 in step 6, but 0.5 if step 4 found any.
-- With a query_embedding (made by the model of the active set, or of in_set), the 100 films nearest by meaning
-- (catalog.match_movies), or match_count if that is more, have a score by meaning: how far their similarity is on the way from
-- that of the last of them to 1, so that a hundred films that are equally near say nothing. score is
-- (1 - meaning_weight) * score by words + meaning_weight * score by meaning. meaning_weight is 0 (words alone) to 1 (meaning
-- alone); by default 0.2 for a keyless hashing model, whose vectors say no more than words, and 0.4 for others. Up to 0.5 a film that
-- has the very title stays first. Ties go to the film with the words, then to the one with more votes.
-- The vector of a hashing model is made again without the words that no film has, misspelt words and words for films; without
-- any other word, meaning says nothing. With any model nothing is found where no film has a word of the question and no film is
-- nearer than the others (a score by meaning of 0.1).
-- "Movies like X", where X is a film with a vector or a series (catalog.read_likeness) and no film has this very title: the films
-- nearest to X by meaning alone, as catalog.similar_titles; a query_embedding is not needed. For "X but funnier" the 200 nearest
-- films have a score by the words after "but" (catalog.with_genres), and meaning_weight is 0.5 by default. A weight of 0 reads
-- such a question as any other.
-- found_by: title, people, keywords, overview: where a word is; spelling: a word was mended; meaning: the vector.
-- filters: see catalog.condition_of. The words that are rare, and the films that are near, are so among the titles of the media
-- types that the filters name.

-- The signature without a weight is dropped, as a call would fit both. A view of an application that depends on it keeps it
-- under another name, which calls this function.
do $$
begin
    if to_regprocedure('catalog.search_movies(text, integer, jsonb, vector, integer)') is not null then
        drop function catalog.search_movies(text, integer, jsonb, vector, integer);
    end if;
exception when dependent_objects_still_exist then
    alter function catalog.search_movies(text, integer, jsonb, vector, integer) rename to search_movies_of_views;
end
$$;
create or replace function catalog.search_titles(
    query text,
    match_count integer default 10,
    filters jsonb default '{}',
    query_embedding vector default null,
    in_set integer default null,
    meaning_weight double precision default null
)
returns table (
    title_id bigint, media_type text, tmdb_id bigint, title text, release_year smallint, score double precision, found_by text[]
)
language plpgsql stable
set jit = off
set random_page_cost = 1.1
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
    allowed jsonb := catalog.limited_filters(filters);
    media text[] := catalog.media_of(allowed);
    most integer := catalog.limited_count(match_count);
    needle vector := catalog.limited_vector(query_embedding);
    weight double precision := catalog.limited_weight(meaning_weight);
    searched record;
    alike record;
    words record;
    depth integer;
begin
    if query is null or most < 1 then
        return;
    end if;
    select s.set_id, s.provider = 'local' and s.model like 'hashing-%' as is_hashing into searched
    from catalog.embedding_sets s where case when in_set is null then s.is_active else s.set_id = in_set end;
    select l.film, l.but, catalog.vector_of(l.film, searched.set_id) as embedding into alike
    from catalog.read_likeness(catalog.normalised(left(query, 300)), media) l
    where l.film is not null and weight is distinct from 0
      and catalog.films_titled(
          array[catalog.title_key(left(query, 300))], 'true' || catalog.condition_of_media(media), 1) = '{}';
    needle := coalesce(alike.embedding, needle);
    depth := greatest(most, case when needle is null then 0 else 100 end);
    if alike.embedding is not null then
        weight := case when alike.but is null then 1 else coalesce(weight, 0.5) end;
        allowed := jsonb_set(allowed, '{exclude}', coalesce(allowed -> 'exclude', '[]') || to_jsonb(alike.film));
        select n.*, '{}'::bigint[] as by_title, '{}'::bigint[] as by_slip into words
        from catalog.near_films_by_words(
            needle, catalog.with_genres(alike.but), allowed, searched.set_id, greatest(200, depth)) n;
    else
        weight := case when needle is null then 0 else coalesce(weight, case when searched.is_hashing then 0.2 else 0.4 end) end;
        select * into words from catalog.films_of_question(query, catalog.condition_of(allowed), depth, allowed);
        if words.year_from is not null then
            allowed := allowed || jsonb_build_object(
                'year_from', greatest(words.year_from, (allowed ->> 'year_from')::numeric),
                'year_to', least(words.year_to, (allowed ->> 'year_to')::numeric));
        end if;
        if searched.is_hashing and words.known_text is distinct from words.plain then
            needle := case
                when needle is not null and (words.known_text <> '' or words.forms = '{}')
                then catalog.question_vector_of(words.known_text, in_set, media)
            end;
        end if;
    end if;

    return query
    with worded as (
        select w.title_id, w.score, w.place
        from unnest(words.films, words.scores) with ordinality w (title_id, score, place)
        where weight < 1
    ), near as materialized (
        select n.title_id, n.similarity,
            case when count(*) over () >= depth then min(n.similarity) over () else 0 end as least
        from catalog.match_titles(needle, -1, depth, allowed, in_set) n
        where needle is not null and weight > 0
    ), meant as (
        select n.title_id, greatest(0, (n.similarity - n.least) / greatest(1 - n.least, 1e-6)) as score
        from near n
        where words.films <> '{}' or alike.embedding is not null
            or (select max((o.similarity - o.least) / greatest(1 - o.least, 1e-6)) from near o) >= 0.1
    ), fused as (
        select f.title_id, (1 - weight) * coalesce(w.score, 0) + weight * coalesce(n.score, 0) as score, w.place,
            w.title_id is not null as has_words, n.title_id is not null as has_meaning
        from (select w.title_id from worded w union select n.title_id from meant n) f
        left join worded w using (title_id) left join meant n using (title_id)
    ), first as (
        select f.*, m.title, m.release_year, s.vote_count
        from fused f join catalog.titles m using (title_id) left join catalog.title_stats s using (title_id)
        order by f.score desc, f.place, s.vote_count desc nulls last, f.title_id
        limit most
    )
    select f.title_id, catalog.media_type(f.title_id), catalog.tmdb_id(f.title_id), f.title, f.release_year, f.score, array_remove(array[
        case when f.has_words and (
            f.title_id = any (words.by_title)
            or d.words @@ catalog.any_word(words.forms || words.meant_words, 'A'))
        then 'title' end,
        case when f.has_words and d.words @@ catalog.any_word(words.forms || words.meant_words, 'B') then 'people' end,
        case when f.has_words and d.words @@ catalog.any_word(words.forms || words.meant_words, 'C') then 'keywords' end,
        case when f.has_words and d.words @@ catalog.any_word(words.forms || words.meant_words, 'D') then 'overview' end,
        case when f.has_words and (
            f.title_id = any (words.by_slip) or d.words @@ catalog.any_word(words.meant_words)) then 'spelling' end,
        case when f.has_meaning then 'meaning' end
    ], null)
    from first f left join catalog.title_documents d on d.title_id = f.title_id
    order by f.score desc, f.place, f.vote_count desc nulls last, f.title_id;
end
$$;

-- As catalog.search_titles, for movies.
create or replace function catalog.search_movies(
    query text,
    match_count integer default 10,
    filters jsonb default '{}',
    query_embedding vector default null,
    in_set integer default null,
    meaning_weight double precision default null
)
returns table (tmdb_id bigint, title text, release_year smallint, score double precision, found_by text[])
language sql stable
as $$
    select t.tmdb_id, t.title, t.release_year, t.score, t.found_by
    from catalog.search_titles(
        query, match_count, catalog.filters_of_movies(filters, 'search_titles'), query_embedding, in_set, meaning_weight) t
$$;

do $$
begin
    if to_regprocedure('catalog.search_movies_of_views(text, integer, jsonb, vector, integer)') is not null then
        create or replace function catalog.search_movies_of_views(
            query text,
            match_count integer default 10,
            filters jsonb default '{}',
            query_embedding vector default null,
            in_set integer default null
        )
        returns table (tmdb_id bigint, title text, release_year smallint, score double precision, found_by text[])
        language sql stable
        as 'select * from catalog.search_movies(query, match_count, filters, query_embedding, in_set) as t (title_id)';
    end if;
end
$$;
