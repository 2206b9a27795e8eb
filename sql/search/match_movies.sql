-- Applied after the migrations whenever it changes: films near a vector or a film, for applications.

-- The films nearest to the vector of a question, which has to be made by the model of the set it is searched in:
-- catalog.embedding_sets names it. filters: see catalog.condition_of. similarity is the cosine, -1 to 1. Always
-- match_count rows (0 to 10,000) when that many reach the threshold. An application that names its set (in_set) goes on finding
-- films in it while another set becomes the active one, and for as long as old sets are kept.
drop function if exists catalog.match_movies(vector, double precision, integer, jsonb);
create or replace function catalog.match_titles(
    query_embedding vector,
    match_threshold double precision default -1,
    match_count integer default 10,
    filters jsonb default '{}',
    in_set integer default null
)
returns table (
    title_id bigint, media_type text, tmdb_id bigint, title text, release_year smallint, similarity double precision)
language sql stable rows 10
as $$
    select n.title_id, catalog.media_type(n.title_id), catalog.tmdb_id(n.title_id), m.title, m.release_year, n.similarity
    from catalog.nearest_titles(
        catalog.limited_vector(query_embedding), catalog.limited_count(match_count), catalog.limited_filters(filters), in_set
    ) n
    join catalog.titles m using (title_id)
    where n.similarity >= match_threshold
    order by n.similarity desc, n.title_id
$$;

-- As catalog.match_titles, for movies.
create or replace function catalog.match_movies(
    query_embedding vector,
    match_threshold double precision default -1,
    match_count integer default 10,
    filters jsonb default '{}',
    in_set integer default null
)
returns table (tmdb_id bigint, title text, release_year smallint, similarity double precision)
language sql stable rows 10
as $$
    select t.tmdb_id, t.title, t.release_year, t.similarity
    from catalog.match_titles(
        query_embedding, match_threshold, match_count, catalog.filters_of_movies(filters, 'match_titles'), in_set) t
$$;

-- What two films have in common: {"people": […], "genres": […], "keywords": […], "collection": "…"}, names in their
-- order; empty parts are left out. People are the crew and the first ten of the cast.
create or replace function catalog.shared_features(a bigint, b bigint) returns jsonb
language sql stable
as $$
    with people as (
        select r.title_id, r.person_id from catalog.title_cast r where r.title_id in (a, b) and r.billing < 10
        union select r.title_id, r.person_id from catalog.title_crew r where r.title_id in (a, b)
    )
    select jsonb_strip_nulls(jsonb_build_object(
        'people', (
            select jsonb_agg(p.name order by p.name) from people x join people y using (person_id)
            join catalog.people p using (person_id) where x.title_id = a and y.title_id = b),
        'genres', (
            select jsonb_agg(g order by g) from unnest(m.genres) g where g = any (n.genres)),
        'keywords', (
            select jsonb_agg(k order by k) from unnest(m.keywords) k where k = any (n.keywords)),
        'collection', case when m.collection_id = n.collection_id then m.collection end
    ))
    from catalog.titles m, catalog.titles n
    where m.title_id = a and n.title_id = b
$$;

-- What the two films of each of many pairs have in common, as catalog.shared_features says it of one pair: the number of the
-- pair, counted from 1, and the features.
create or replace function catalog.shared_features_of_pairs(films bigint[], others bigint[])
returns table (number bigint, shared_features jsonb)
language sql stable
set jit = off
as $$
    with people as materialized (
        select r.title_id, array_agg(r.person_id) as ids
        from (
            select c.title_id, c.person_id from catalog.title_cast c where c.billing < 10 and c.title_id = any (films || others)
            union select c.title_id, c.person_id from catalog.title_crew c where c.title_id = any (films || others)
        ) r
        group by r.title_id
    )
    select p.number, jsonb_strip_nulls(jsonb_build_object(
        'people', case when x.ids && y.ids then (
            select jsonb_agg(n.name order by n.name) from catalog.people n
            where n.person_id = any (x.ids) and n.person_id = any (y.ids)) end,
        'genres', case when m.genres && n.genres then (
            select jsonb_agg(g order by g) from unnest(m.genres) g where g = any (n.genres)) end,
        'keywords', case when m.keywords && n.keywords then (
            select jsonb_agg(k order by k) from unnest(m.keywords) k where k = any (n.keywords)) end,
        'collection', case when m.collection_id = n.collection_id then m.collection end
    ))
    from unnest(films, others) with ordinality p (film, other, number)
    join catalog.titles m on m.title_id = p.film
    join catalog.titles n on n.title_id = p.other
    left join people x on x.title_id = p.film
    left join people y on y.title_id = p.other
$$;

-- The titles nearest to a title, itself left out, and what they share with it; no row when it has no vector. They are of its
-- media type, unless the filters name others. The table of the same name has the ten nearest titles of every title, of its media
-- type, computed at the last publication.
create or replace function catalog.similar_titles(
    film bigint,
    match_count integer default 10,
    filters jsonb default '{}'
)
returns table (
    title_id bigint, media_type text, tmdb_id bigint, title text, release_year smallint, similarity double precision,
    shared_features jsonb
)
language plpgsql stable rows 10
as $$
#variable_conflict use_column
declare
    -- Read once: the vector and its neighbours are of one set, also while another becomes the active one.
    active integer := (select s.set_id from catalog.embedding_sets s where s.is_active);
begin
    return query
    select n.title_id, catalog.media_type(n.title_id), catalog.tmdb_id(n.title_id), m.title, m.release_year, n.similarity,
        catalog.shared_features(film, n.title_id)
    from catalog.nearest_titles(
        catalog.vector_of(film, active), catalog.limited_count(match_count),
        catalog.limited_filters(filters) || jsonb_build_object(
            'exclude', coalesce(filters -> 'exclude', '[]') || to_jsonb(film),
            'media_types', catalog.media_of(filters, array[catalog.media_type(film)])), active
    ) n
    join catalog.titles m on m.title_id = n.title_id
    order by n.similarity desc, n.title_id;
end
$$;

-- As catalog.similar_titles, for a movie and movies.
create or replace function catalog.similar_movies(
    film bigint,
    match_count integer default 10,
    filters jsonb default '{}'
)
returns table (tmdb_id bigint, title text, release_year smallint, similarity double precision, shared_features jsonb)
language sql stable rows 10
as $$
    select t.tmdb_id, t.title, t.release_year, t.similarity, t.shared_features
    from catalog.similar_titles(
        film, match_count, '{"media_types": ["movie"]}'::jsonb || catalog.filters_of_movies(filters, 'similar_titles')) t
    where film < 1000000000
$$;

-- A film's vector in an embedding set, null when it has none.
create or replace function catalog.vector_of(film bigint, in_set integer) returns vector
language plpgsql stable
as $$
declare
    embedding vector;
begin
    if to_regclass('catalog.' || catalog.vector_table(in_set, catalog.media_type(film))) is not null then
        execute format('select v.embedding::vector from catalog.%I v where v.title_id = $1', catalog.vector_table(in_set, catalog.media_type(film)))
        into embedding using film;
    end if;
    return embedding;
end
$$;
