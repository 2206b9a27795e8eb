-- Applied after the migrations whenever it changes: the nearest neighbours of a vector, on which every search rests.

-- How many films of a table of vectors pass a condition, as the planner expects from its statistics. Volatile, as
-- Postgres explains nothing in other functions.
create or replace function catalog.films_expected(target text, condition text) returns double precision
language plpgsql
as $$
declare
    plan json;
begin
    execute format('explain (format json) select from %s where %s', target, condition) into plan;
    return plan -> 0 -> 'Plan' -> 'Plan Rows';
end
$$;

-- Films near a vector, by the graph of a table of vectors: `looks` films of it are looked at, and those that pass are
-- given nearest first, `enough` at most. If it goes on, it looks at as many again until enough have passed; then the
-- order is only roughly right.
create or replace function catalog.walk_graph(
    target text,
    condition text,
    needle halfvec,
    looks integer,
    enough integer,
    goes_on boolean,
    out ids bigint[],
    out distances double precision[]
)
language plpgsql stable
set hnsw.max_scan_tuples = 50000
set hnsw.scan_mem_multiplier = 4
set hnsw.ef_search = 100
set hnsw.iterative_scan = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
    -- Ends with the function, as they are in its list.
    perform set_config('hnsw.ef_search', looks::text, true),
        set_config('hnsw.iterative_scan', case when goes_on then 'relaxed_order' else 'off' end, true);
    execute format(
        'select array_agg(t.tmdb_id), array_agg(t.distance) from (
             select m.tmdb_id, m.embedding <=> $1 as distance from %s
             where %s and exists (select from catalog.movies c where c.tmdb_id = m.tmdb_id)
             order by m.embedding <=> $1 limit $2) t', target, condition)
    into ids, distances using needle, enough;
end
$$;

-- The nearest films of an embedding set (the active one unless in_set says another) that pass the filters (see
-- catalog.condition_of), nearest first; similarity is the cosine, -1 to 1. Always as many as wanted when that many
-- exist.
--
-- A filter is wide or narrow. Wide: the index's graph is walked, past the films that do not pass. Narrow: the graph
-- would wander past too many, so they are filtered first and all compared. `exactly` asks for that in any case.
--
-- 1. Where the planner expects a wide filter, a short walk looks at as many films as hold twice the wanted and ten (at
--    least 100, more in a large catalogue; at most 1,000, and none where these would hold too few). It is enough when a
--    fifth and six more than wanted pass: the nearest of them are then, nearly always, the nearest of all.
-- 2. Fewer pass where the planner was wrong, or where the films that pass lie far from the vector, as the graph leads
--    to what is near. So they are counted, and all compared where fewer than sqrt(10 * films * steps) pass (4,600 of
--    50,000 for ten wanted): walking past a film costs some ten times what comparing one costs. Below 2,000 films
--    comparing all is quick anyway.
-- 3. Where more pass, a long walk looks at 1,000 films at a time, 50,000 at most, until `steps` have passed, or twice
--    as many where the short walk failed. Should it bring fewer than wanted, all that pass are compared after all.
create or replace function catalog.nearest_movies(
    query vector,
    wanted integer,
    filters jsonb default '{}',
    in_set integer default null,
    exactly boolean default false
)
returns table (tmdb_id bigint, similarity double precision)
language plpgsql stable rows 10
set jit = off
as $$
declare
    chosen record;
    needle halfvec := query::halfvec;
    target text;
    condition text := catalog.condition_of(filters);
    films double precision;
    steps integer;
    narrow integer;
    expected double precision;
    near double precision;
    enough double precision := ceil(1.2 * wanted + 6);
    is_found boolean := false;
    passing integer;
    places tid[];
    ids bigint[];
    distances double precision[];
begin
    select s.set_id, s.name, s.dimensions into chosen from catalog.embedding_sets s
    where case when in_set is null then s.is_active else s.set_id = in_set end;
    if chosen is null and in_set is not null then
        raise exception 'there is no embedding set %', in_set using hint = 'catalog.embedding_sets lists them.';
    elsif chosen is null or coalesce(wanted, 0) < 1 then
        return;
    elsif vector_dims(query) <> chosen.dimensions then
        raise exception 'the vector has % dimensions, those of the embedding set % (%) have %',
                vector_dims(query), chosen.set_id, chosen.name, chosen.dimensions
            using hint = 'Embed with the model that catalog.embedding_sets names, or say which set the vector '
                'belongs to: in_set => number.';
    end if;
    target := format('catalog.%I m', 'movie_vectors_' || chosen.set_id);
    select greatest(c.reltuples, 0) into films from pg_class c
    where c.oid = to_regclass('catalog.movie_vectors_' || chosen.set_id);
    -- Some more than wanted: the long walk then goes on the longer the fewer pass.
    steps := least(wanted::bigint + wanted / 4 + 30, 1000000);
    narrow := greatest(2000, sqrt(10 * films * steps));
    if not exactly and films >= narrow then
        expected := case when condition = 'true' then films
            else least(films, catalog.films_expected(target, condition)) end;
        -- The larger the graph, the more of it has to be looked at: 141 at 50,000 films, 283 at 200,000.
        near := least(1000, greatest(100, 100 * sqrt(films / 25000),
            (2 * wanted::double precision + 10) * films / greatest(expected, 1)));
        if expected >= narrow and near * expected / films >= 1.2 * enough then
            select w.ids, w.distances into ids, distances
            from catalog.walk_graph(target, condition, needle, near::integer, enough::integer, false) w;
            is_found := coalesce(cardinality(ids) >= enough, false);
            steps := 2 * steps;
        end if;
    end if;
    if not exactly and not is_found and (condition <> 'true' or films < 2 * narrow) then
        -- Where the rows are, not who they are: they are fetched from there, without looking for them once more.
        execute format(
            'select array_agg(p.ctid) from (select m.ctid from %s where %s limit %s) p', target, condition, narrow)
        into places;
        passing := coalesce(cardinality(places), 0);
    end if;
    if passing < narrow then
        -- A film that left the catalogue since the last publication is not found; only the nearest are looked up.
        execute format(
            'select array_agg(t.tmdb_id), array_agg(t.distance) from (
                 select n.* from (
                     select m.tmdb_id, m.embedding <=> $1 as distance from %s where m.ctid = any ($2)
                     order by 2, 1 offset 0) n
                 where (select true from catalog.movies c where c.tmdb_id = n.tmdb_id)
                 order by n.distance, n.tmdb_id limit $3) t', target)
        into ids, distances using needle, places, wanted;
    elsif not is_found then
        if not exactly then
            select w.ids, w.distances into ids, distances
            from catalog.walk_graph(target, condition, needle, 1000, steps, true) w;
        end if;
        if exactly or coalesce(cardinality(ids), 0) < wanted then
            execute format(
                'select array_agg(t.tmdb_id), array_agg(t.distance) from (
                     select m.tmdb_id, m.embedding <=> $1 as distance from %s
                     where %s and exists (select from catalog.movies c where c.tmdb_id = m.tmdb_id)
                     order by (m.embedding <=> $1) + 0, m.tmdb_id limit $2) t', target, condition)
            into ids, distances using needle, wanted;
        end if;
    end if;
    return query
    select f.tmdb_id, 1 - f.distance
    from unnest(ids, distances) f (tmdb_id, distance)
    order by f.distance, f.tmdb_id
    limit wanted;
end
$$;
