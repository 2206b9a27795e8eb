-- Applied after the migrations whenever it changes: the nearest neighbours of a vector, on which every search rests.

-- The name of the table with the vectors of an embedding set, for a media type. Each media type has its own, so that a search for
-- movies visits and compares movies only, in a graph of their own.
create or replace function catalog.vector_table(in_set integer, media text) returns text
language sql immutable parallel safe
return case media when 'movie' then 'title' else media end || '_vectors_' || in_set;

-- The number of films below which searches of a table of vectors compare all, so that it has no index: comparing
-- vectors without zeros (sparsevec) takes about 1 µs, so 25,000 of them take as long as a search may; 2,000 of others.
create or replace function catalog.compared_below(vectors regclass) returns integer
language sql stable
as $$
    select case when t.typname = 'sparsevec' then 25000 else 2000 end
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = vectors and a.attname = 'embedding'
$$;

-- A vector with only its `most` largest components.
create or replace function catalog.strongest_components(embedding sparsevec, most integer) returns sparsevec
language plpgsql immutable strict parallel safe
as $$
declare
    parts text[] := string_to_array(ltrim(split_part(embedding::text, '}', 1), '{'), ',');
begin
    if cardinality(parts) <= most then
        return embedding;
    end if;
    return format(
        '{%s}%s',
        (select string_agg(p.part, ',') from (
             select u.part from unnest(parts) u (part)
             order by abs(split_part(u.part, ':', 2)::real) desc, u.part limit most) p),
        split_part(embedding::text, '}', 2))::sparsevec;
end
$$;

-- The number of films of a table of vectors that pass a condition, as the planner expects from its statistics. The
-- function is volatile, because Postgres does not run EXPLAIN in other functions.
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

-- The films nearest to a vector, by the graph of a table of vectors. The search visits `looks` films and returns those
-- that pass, nearest first, at most `enough`. With `goes_on` it visits as many again until enough have passed; the
-- order is then approximate.
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
declare
    distance text := case when catalog.is_short(split_part(target, ' ', 1)::regclass)
        then 'm.embedding <=> $1::sparsevec' else 'm.embedding <=> $1' end;
begin
    -- The values end with the function, because the function sets both options.
    perform set_config('hnsw.ef_search', looks::text, true),
        set_config('hnsw.iterative_scan', case when goes_on then 'relaxed_order' else 'off' end, true);
    execute format(
        'select array_agg(t.title_id), array_agg(t.distance) from (
             select m.title_id, %1$s as distance from %2$s
             where %3$s and exists (select from catalog.titles c where c.title_id = m.title_id)
             order by %1$s limit $2) t', distance, target, condition)
    into ids, distances using needle, enough;
end
$$;

-- The films nearest to a vector among all that pass, nearest first, by comparing each of them; with places, among the
-- rows at these. Films that left the catalogue since the last publication are skipped: only the nearest are checked
-- for that. The 0 that is added to distances keeps the planner from reading the graph, which returns some of the films
-- only.
--
-- Comparing vectors without zeros takes as long as both have components. `quickly` therefore compares them first as vectors
-- with all their components, which takes the same time for any vector, if the given one has more than 40 components: so have
-- those of films and of what a person likes, and few questions. That is exact but for the last digits, so the nearest, 30 more
-- than wanted, are compared once more.
drop function if exists catalog.compare_films(text, text, tid[], halfvec, integer);
create or replace function catalog.compare_films(
    target text,
    condition text,
    places tid[],
    needle halfvec,
    wanted integer,
    quickly boolean default false,
    out ids bigint[],
    out distances double precision[]
)
language plpgsql stable
set jit = off
as $$
declare
    compared integer;
    spare integer := 30;
    candidates bigint := wanted::bigint + spare;
    distance text := '(m.embedding <=> $1) + 0';
    short sparsevec;
    nearest tid[];
begin
    if catalog.is_short(split_part(target, ' ', 1)::regclass) then
        distance := '(m.embedding <=> $4) + 0';
        short := needle::sparsevec;
    end if;
    if quickly and octet_length(sparsevec_send(short)) > 12 + 40 * 8 then -- 8 bytes a component
        execute format(
            'select coalesce(array_agg(t.place), ''{}'') from (
                 select m.ctid as place from %s where %s
                 order by (m.embedding::vector <#> $2::vector) / nullif(l2_norm(m.embedding), 0) limit $3) t',
            target, case when places is null then condition else 'm.ctid = any ($1)' end)
        into nearest using places, needle, candidates;
        select c.ids, c.distances into ids, distances
        from catalog.compare_films(target, condition, nearest, needle, wanted) c;
        if cardinality(ids) >= wanted or cardinality(nearest) < candidates then
            return;
        end if;
    end if;
    loop
        execute format(
            'select array_agg(n.title_id order by n.distance, n.title_id) filter (where n.is_there),
                 array_agg(n.distance order by n.distance, n.title_id) filter (where n.is_there), count(*)
             from (
                 select t.*, (select true from catalog.titles c where c.title_id = t.title_id) as is_there
                 from (
                     select m.title_id, %s as distance from %s where %s order by 2, 1 limit $3) t
             ) n', distance, target, case when places is null then condition else 'm.ctid = any ($2)' end)
        into ids, distances, compared using needle, places, wanted::bigint + spare, short;
        exit when cardinality(ids) >= wanted or compared < wanted::bigint + spare;
        spare := least(10 * spare::bigint, 2000000000 - wanted);
    end loop;
    ids := ids[:wanted];
    distances := distances[:wanted];
end
$$;

-- The nearest films of an embedding set (the active one unless in_set says another) that pass the filters (see
-- catalog.condition_of), nearest first; similarity is the cosine, -1 to 1. Always as many as wanted when that many
-- exist.
--
-- A search of the index's graph visits the films that lead to the nearest ones and skips those that do not pass. How
-- many have to be visited differs from model to model: pipeline.tune_searches measures it
-- (catalog.embedding_sets.ef_search; until then 100, more in a large catalogue). A long vector without zeros, such as
-- a film's, needs half as many: each of its many words leads to films that have it. Visiting one film takes as long as
-- comparing 40 vectors, 20 without their zeros (100 where all of a table are, in the order of the disk), or ten if they
-- are stored out of line. So whenever fewer films pass than can be compared in the time of the visits, all are
-- compared. A set with fewer films than catalog.compared_below has no index. `exactly` compares all vectors in full.
--
-- 1. If the planner expects more, a short graph search visits ef_search films, or as many as contain twice the wanted
--    number and ten (at most 1,000; no search if 1,000 would contain too few). Its result is used if 1.2 times the
--    wanted number and six pass: the nearest of them are then nearly always the nearest of all.
-- 2. Fewer pass if the planner was wrong, or if the films that pass are far from the vector, because the graph leads to
--    near films. They are counted, and all are compared if there are fewer than that or than
--    sqrt(10 * films * steps), 4,600 of 50,000 for ten wanted.
-- 3. Otherwise a long graph search visits 1,000 films at a time, at most 50,000, until `steps` have passed, or twice as
--    many if the short search failed. If it returns fewer than wanted, all that pass are compared.
create or replace function catalog.nearest_of_media(
    media text,
    query vector,
    wanted integer,
    filters jsonb default '{}',
    in_set integer default null,
    exactly boolean default false
)
returns table (title_id bigint, similarity double precision)
language plpgsql stable rows 10
set jit = off
set random_page_cost = 1.1
as $$
#variable_conflict use_column
declare
    chosen record;
    needle halfvec := query::halfvec;
    target text;
    condition text := catalog.condition_of(
        coalesce(filters, '{}') || jsonb_build_object('media_types', catalog.media_types()));
    films double precision;
    is_short boolean;
    compared integer; -- films in the time in which a search of the graph visits one
    has_index boolean;
    compares_all boolean := exactly;
    steps integer;
    narrow integer;
    expected double precision;
    visits double precision;
    enough double precision := ceil(1.2 * wanted + 6);
    is_found boolean := false;
    places tid[];
    ids bigint[];
    distances double precision[];
begin
    select s.set_id, s.name, s.dimensions, s.ef_search into chosen from catalog.embedding_sets s
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
    target := format('catalog.%I m', catalog.vector_table(chosen.set_id, media));
    select greatest(c.reltuples, 0), catalog.is_short(c.oid), case when a.attstorage = 'p' then 40 else 10 end,
        exists (select from pg_index x where x.indisvalid
                and x.indexrelid = to_regclass('catalog.' || catalog.vector_table(chosen.set_id, media) || '_nearest'))
    into films, is_short, compared, has_index
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'embedding'
    where c.oid = to_regclass('catalog.' || catalog.vector_table(chosen.set_id, media));
    if films is null then
        return; -- the set has no title of this media type
    end if;
    compares_all := exactly or not has_index;
    -- More than wanted, so that the long search visits more films when fewer pass.
    steps := least(wanted::bigint + wanted / 4 + 30, 1000000);
    -- A larger graph needs more visits: 141 at 50,000 films, 283 at 200,000.
    visits := coalesce(chosen.ef_search, greatest(100, 100 * sqrt(films / 25000)));
    if is_short then
        compared := 20;
        -- sparsevec_send takes 8 bytes for a component that is not 0, and 12.
        if octet_length(sparsevec_send(query::sparsevec)) > 12 + 8 * 40 then
            visits := greatest(least(150, visits), visits / 2);
        end if;
    end if;
    visits := least(1000, visits + 2.0 * greatest(0, wanted - 10));
    narrow := greatest(2000, sqrt(10 * films * steps), chosen.ef_search * compared);
    if not compares_all and films >= narrow then
        expected := case when condition = 'true' then films
            else least(films, catalog.films_expected(target, condition)) end;
        compares_all := is_short and expected >= narrow and films <= 100 * visits;
        visits := least(1000, greatest(visits, (2 * wanted::double precision + 10) * films / greatest(expected, 1)));
        if not compares_all and expected >= narrow and visits * expected / films >= 1.2 * enough then
            select w.ids, w.distances into ids, distances
            from catalog.walk_graph(target, condition, needle, visits::integer, enough::integer, false) w;
            is_found := coalesce(cardinality(ids) >= enough, false);
            steps := 2 * steps;
        end if;
    end if;
    if not compares_all and not is_found then
        if condition = 'true' then
            compares_all := films < 2 * narrow;
        else
            -- The rows' places on disk in place of their ids, so that they are fetched without another search for them.
            execute format(
                'select array_agg(p.ctid) from (select m.ctid from %s where %s limit %s) p', target, condition, narrow)
            into places;
            compares_all := coalesce(cardinality(places), 0) < narrow;
            places := case when compares_all then coalesce(places, '{}') end;
        end if;
    end if;
    if not compares_all and not is_found then
        select w.ids, w.distances into ids, distances
        from catalog.walk_graph(target, condition, needle, 1000, steps, true) w;
        compares_all := coalesce(cardinality(ids), 0) < wanted;
    end if;
    if compares_all then
        select f.ids, f.distances into ids, distances
        from catalog.compare_films(target, condition, places, needle, wanted, not exactly) f;
    end if;
    return query
    select f.title_id, 1 - f.distance
    from unnest(ids, distances) f (title_id, distance)
    order by f.distance, f.title_id
    limit wanted;
end
$$;

-- The nearest titles of an embedding set, of the media types that the filters name: see catalog.nearest_of_media.
create or replace function catalog.nearest_titles(
    query vector,
    wanted integer,
    filters jsonb default '{}',
    in_set integer default null,
    exactly boolean default false
)
returns table (title_id bigint, similarity double precision)
language plpgsql stable rows 10
as $$
#variable_conflict use_column
declare
    media text[] := catalog.media_of(filters);
begin
    if cardinality(media) = 1 then
        return query select n.* from catalog.nearest_of_media(media[1], query, wanted, filters, in_set, exactly) n;
    else
        return query
        select n.*
        from unnest(media) t (media) cross join lateral catalog.nearest_of_media(t.media, query, wanted, filters, in_set, exactly) n
        order by n.similarity desc, n.title_id
        limit wanted;
    end if;
end
$$;

-- As catalog.nearest_titles, for movies.
create or replace function catalog.nearest_movies(
    query vector,
    wanted integer,
    filters jsonb default '{}',
    in_set integer default null,
    exactly boolean default false
)
returns table (tmdb_id bigint, similarity double precision)
language sql stable rows 10
as $$
    select n.title_id, n.similarity
    from catalog.nearest_of_media('movie', query, wanted, catalog.filters_of_movies(filters, 'nearest_titles'), in_set, exactly) n
$$;
