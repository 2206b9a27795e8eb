-- Applied after the migrations whenever it changes: the films nearest to a vector, for applications.

-- filters (all optional, joined by "and"):
--   {"genres": ["Comedy", "Crime"]}   any of these
--   {"languages": ["en", "fr"]}       original language, any of these
--   {"year_from": 1999, "year_to": 2010}
-- similarity is the cosine, -1 to 1. Always match_count rows when that many reach the threshold.
create or replace function catalog.match_movies(
    query_embedding vector,
    match_threshold double precision default -1,
    match_count integer default 10,
    filters jsonb default '{}'
)
returns table (tmdb_id bigint, title text, release_year smallint, similarity double precision)
language plpgsql stable
-- An index scan that goes on until enough rows pass the filter, and looks at enough of the graph.
set hnsw.iterative_scan = relaxed_order
set hnsw.ef_search = 200
set hnsw.max_scan_tuples = 100000
as $$
declare
    query halfvec := query_embedding::halfvec;
    unknown text := (
        select string_agg(k, ', ') from jsonb_object_keys(filters) k
        where k not in ('genres', 'languages', 'year_from', 'year_to')
    );
    wanted_genres text[] := array(select jsonb_array_elements_text(filters -> 'genres'));
    wanted_languages text[] := array(select jsonb_array_elements_text(filters -> 'languages'));
    first_year integer := filters ->> 'year_from';
    last_year integer := filters ->> 'year_to';
    matching bigint;
    total bigint;
begin
    filters := coalesce(filters, '{}');
    if unknown is not null then
        raise exception 'match_movies knows no filter %', unknown
            using hint = 'Known are genres, languages, year_from and year_to.';
    end if;
    if filters <> '{}' then
        select count(*) into total from catalog.movies;
        select count(*) into matching from catalog.movies m
        where (not filters ? 'genres' or m.genres && wanted_genres)
          and (not filters ? 'languages' or m.original_language = any (wanted_languages))
          and (first_year is null or m.release_year >= first_year)
          and (last_year is null or m.release_year <= last_year);
        -- Below about 3 % the graph wanders past too many films that do not qualify: filter, then sort all.
        if matching < greatest(total * 0.03, 2000) then
            return query
            with candidates as materialized (
                select m.tmdb_id, m.title, m.release_year, v.embedding
                from catalog.movies m join catalog.movie_vectors v using (tmdb_id)
                where (not filters ? 'genres' or m.genres && wanted_genres)
                  and (not filters ? 'languages' or m.original_language = any (wanted_languages))
                  and (first_year is null or m.release_year >= first_year)
                  and (last_year is null or m.release_year <= last_year)
            )
            select c.tmdb_id, c.title, c.release_year, 1 - (c.embedding <=> query)
            from candidates c
            where 1 - (c.embedding <=> query) >= match_threshold
            order by c.embedding <=> query, c.tmdb_id
            limit match_count;
            return;
        end if;
    end if;
    return query
    with nearest as materialized (
        select m.tmdb_id, m.title, m.release_year, v.embedding <=> query as distance
        from catalog.movie_vectors v join catalog.movies m using (tmdb_id)
        where (not filters ? 'genres' or m.genres && wanted_genres)
          and (not filters ? 'languages' or m.original_language = any (wanted_languages))
          and (first_year is null or m.release_year >= first_year)
          and (last_year is null or m.release_year <= last_year)
        order by v.embedding <=> query
        limit match_count
    )
    select n.tmdb_id, n.title, n.release_year, 1 - n.distance
    from nearest n
    where 1 - n.distance >= match_threshold
    order by n.distance, n.tmdb_id;
end
$$;
