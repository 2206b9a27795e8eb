-- Applied after the migrations whenever it changes: the nearest neighbours of a vector, on which every search rests.

-- The nearest films of an embedding set (the active one unless in_set says another) that pass the filters (see
-- catalog.condition_of), nearest first; similarity is the cosine, -1 to 1. Always as many as wanted when that many exist.
--
-- With an index of nearest neighbours a filter is either wide or narrow. Wide: the graph is walked, past those that do
-- not pass. Narrow: the graph would wander past too many, so they are filtered first and all compared. `exactly` asks
-- for that in any case. Walking past a film costs some ten times what comparing one costs, and the fewer pass, the longer
-- the walk: both cost the same where sqrt(10 * films * steps) films pass (4,600 of 50,000 for ten wanted). Below 2,000
-- films comparing all is quick anyway. A sample of some 1,000 films says what share passes; where that is too little to
-- be wide, they are counted.
--
-- Near the vector mostly as large a share passes as everywhere, or a larger one. A first, short walk past as many films as
-- hold twice the wanted and ten is then enough. Where it finds less than six tenths of what that share promises, the films
-- that pass lie elsewhere, and the graph leads to them by detours: a second walk looks at as much of it as it can at a
-- time, until twice the usual number has passed.
create or replace function catalog.nearest_movies(
    query vector,
    wanted integer,
    filters jsonb default '{}',
    in_set integer default null,
    exactly boolean default false
)
returns table (tmdb_id bigint, similarity double precision)
language plpgsql stable rows 10
set hnsw.iterative_scan = relaxed_order
set hnsw.ef_search = 100
set hnsw.max_scan_tuples = 50000
set hnsw.scan_mem_multiplier = 4
-- Listed so that what the body sets of them ends with the function.
set enable_seqscan = on
set enable_bitmapscan = on
set enable_sort = on
set enable_hashjoin = on
set enable_mergejoin = on
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
    is_counted boolean;
    share double precision;  -- of the films pass, as far as known
    walk text;
    near double precision;  -- so many films of the graph are looked at first
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
    -- Some more than wanted: the walk, whose order is only roughly right, then goes on the longer the fewer pass.
    steps := least(wanted::bigint + wanted / 4 + 30, 1000000);
    narrow := greatest(2000, sqrt(10 * films * steps));
    if condition = 'true' and films >= 2 * narrow then
        share := 1;
    elsif not exactly and films >= 2 * narrow then
        execute format(
            'select count(*) filter (where %s)::double precision / nullif(count(*), 0)
             from %s tablesample system (%s) repeatable (0)', condition, target, 100000 / films)
        into share;
    end if;
    is_counted := not exactly and coalesce(films * share < narrow, true);
    if is_counted then
        -- Where the rows are, not who they are: they are fetched from there, without looking for them once more.
        execute format(
            'select array_agg(p.ctid) from (select m.ctid from %s where %s limit %s) p', target, condition, narrow)
        into places;
        share := greatest(share, narrow / nullif(films, 0));
    end if;
    if is_counted and coalesce(cardinality(places), 0) < narrow then
        -- A film that left the catalogue since the last publication is not found; only the nearest are looked up.
        execute format(
            'select array_agg(t.tmdb_id), array_agg(t.distance) from (
                 select n.* from (
                     select m.tmdb_id, m.embedding <=> $1 as distance from %s where m.ctid = any ($2)
                     order by 2, 1 offset 0) n
                 where (select true from catalog.movies c where c.tmdb_id = n.tmdb_id)
                 order by n.distance, n.tmdb_id limit $3) t', target)
        into ids, distances using needle, places, wanted;
    else
        condition := condition || ' and exists (select from catalog.movies c where c.tmdb_id = m.tmdb_id)';
        if not exactly then
            perform set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
                set_config('enable_sort', 'off', true), set_config('enable_hashjoin', 'off', true),
                set_config('enable_mergejoin', 'off', true);
            walk := format(
                'select array_agg(t.tmdb_id), array_agg(t.distance) from (
                     select m.tmdb_id, m.embedding <=> $1 as distance from %s where %s
                     order by m.embedding <=> $1 limit $2) t', target, condition);
            -- The larger the graph, the more of it has to be looked at: 141 at 50,000 films, 283 at 200,000.
            near := greatest(100, 100 * sqrt(films / 25000), (2 * wanted::double precision + 10) / share);
            if share is not null and near <= 1000 then
                perform set_config('hnsw.iterative_scan', 'off', true),
                    set_config('hnsw.ef_search', near::integer::text, true);
                execute walk into ids, distances using needle, steps;
            end if;
            if coalesce(cardinality(ids), 0) < greatest(wanted, least(steps, 0.6 * near * share)) then
                perform set_config('hnsw.iterative_scan', 'relaxed_order', true),
                    set_config('hnsw.ef_search', '1000', true);
                execute walk into ids, distances using needle, 2 * steps;
            end if;
            perform set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true),
                set_config('enable_sort', 'on', true), set_config('enable_hashjoin', 'on', true),
                set_config('enable_mergejoin', 'on', true);
        end if;
        if exactly or coalesce(cardinality(ids), 0) < wanted then
            execute format(
                'select array_agg(t.tmdb_id), array_agg(t.distance) from (
                     select m.tmdb_id, m.embedding <=> $1 as distance from %s where %s
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
