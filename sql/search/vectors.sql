-- Applied after the migrations whenever it changes: the searchable table of each embedding set.

-- Comments on catalog.movie_vectors_<set>: its columns are those of catalog.movies and of catalog.movie_vectors.
create or replace function pipeline.comment_on_vectors(which integer) returns void
language plpgsql
as $$
declare
    target regclass := format('catalog.%I', 'movie_vectors_' || which)::regclass;
    found record;
begin
    execute format(
        'comment on table %s is %L', target,
        (select format('vectors of embedding set %s (%s %s, %s dimensions), with what searches filter on',
                       s.set_id, s.provider, s.model, s.dimensions)
         from pipeline.embedding_sets s where s.set_id = which));
    for found in
        select a.attname as name,
            coalesce(
                (select col_description(v.attrelid, v.attnum) from pg_attribute v
                 where v.attrelid = 'catalog.movie_vectors'::regclass and v.attname = a.attname),
                (select col_description(m.attrelid, m.attnum) from pg_attribute m
                 where m.attrelid = 'catalog.movies'::regclass and m.attname = a.attname)) as comment
        from pg_attribute a where a.attrelid = target and a.attnum > 0 and not a.attisdropped
    loop
        execute format(
            'comment on column %s.%I is %L', target, found.name,
            case when found.name = 'nonzero'
                then 'the vector without its zeros, if most of it is zeros; compared in place of embedding; null otherwise'
                else found.comment end);
    end loop;
end
$$;

-- Brings catalog.movie_vectors_<set> in line with the accepted films and their paid-for vectors. A vector of
-- the wrong width or without direction stays out; a film whose text moved keeps its old vector until the new
-- one is there. Unchanged rows are not touched, so the index is not either.
drop function if exists pipeline.refresh_vectors(smallint);
create or replace function pipeline.refresh_vectors(which integer)
returns table (removed integer, written integer, refiltered integer, total integer)
language plpgsql
as $$
declare
    width integer := (select s.dimensions from pipeline.embedding_sets s where s.set_id = which);
    target text := format('catalog.%I', 'movie_vectors_' || which);
    replaced bigint[];
begin
    -- Vectors that fit on a page are stored in the rows (plain), where comparing them is three times as fast as out of line.
    -- The rest of a row always fits beside a vector of 3,072 dimensions and is never moved out of line (toast_tuple_target).
    -- Wide vectors of which most components are 0, as those of hashed words, have a short form, too (nonzero), with which
    -- comparing is faster again. sparsevec_send takes 8 bytes for a component that is not 0.
    if to_regclass(target) is null then
        execute format(
            'create table %s (
                 tmdb_id bigint primary key, text_hash text not null, embedding halfvec(%s) not null,
                 release_year smallint, genres text[] not null, original_language text, runtime_minutes smallint,
                 certification text
             ) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, toast_tuple_target = 8160)', target, width);
        execute format('alter table %s alter column embedding set storage %s', target,
                       case when width <= 3072 then 'plain' else 'external' end);
        if width >= 1024 then
            execute format(
                'alter table %s add column nonzero sparsevec generated always as (
                     case when octet_length(sparsevec_send(embedding::sparsevec)) < %s then embedding::sparsevec end) stored',
                target, least(1.2 * width, case when width <= 3072 then 7500 - 2 * width else 4000 end));
            execute format('alter table %s alter column nonzero set storage plain', target);
        end if;
        perform pipeline.comment_on_vectors(which);
    end if;
    execute format(
        'delete from %s v where not exists (select from catalog.movies m where m.tmdb_id = v.tmdb_id)', target);
    get diagnostics removed = row_count;
    -- Vectors that another one of the same text replaced, and the lists of similar films that were made from them.
    with published as (
        update pipeline.embeddings e set is_replaced = false
        where e.set_id = which and e.is_replaced
        returning e.tmdb_id)
    select array(select p.tmdb_id from published p) into replaced;
    delete from pipeline.similar_lists l where l.set_id = which and l.tmdb_id = any (replaced);
    execute format(
        'with changed as materialized (
             select m.tmdb_id, m.text_hash
             from catalog.movies m left join %1$s v using (tmdb_id)
             where v.text_hash is distinct from m.text_hash or m.tmdb_id = any ($1))
         insert into %1$s as v (
             tmdb_id, text_hash, embedding, release_year, genres, original_language, runtime_minutes, certification)
         select c.tmdb_id, c.text_hash, e.embedding::halfvec, m.release_year, m.genres, m.original_language,
             m.runtime_minutes, m.certification
         from changed c
         join pipeline.embeddings e on e.tmdb_id = c.tmdb_id and e.text_hash = c.text_hash
         join catalog.movies m on m.tmdb_id = c.tmdb_id
         where e.set_id = %2$s and e.dimensions = %3$s and e.length > 0
         order by c.tmdb_id
         on conflict (tmdb_id) do update set
             text_hash = excluded.text_hash, embedding = excluded.embedding, release_year = excluded.release_year,
             genres = excluded.genres, original_language = excluded.original_language,
             runtime_minutes = excluded.runtime_minutes, certification = excluded.certification',
        target, which, width) using replaced;
    get diagnostics written = row_count;
    execute format(
        'update %s v
         set release_year = m.release_year, genres = m.genres, original_language = m.original_language,
             runtime_minutes = m.runtime_minutes, certification = m.certification
         from catalog.movies m
         where m.tmdb_id = v.tmdb_id
           and (v.release_year, v.genres, v.original_language, v.runtime_minutes, v.certification)
               is distinct from (m.release_year, m.genres, m.original_language, m.runtime_minutes, m.certification)',
        target);
    get diagnostics refiltered = row_count;
    execute format('select count(*) from %s', target) into total;
    return next;
end
$$;

-- Builds an index; once more without parallel workers when the shared memory that these exchange data through is too
-- small. Containers have 64 MB of /dev/shm unless they are given more, and the server reports it as a full disk. A disk that
-- is full fails the second time, too.
create or replace function pipeline.build_index(definition text) returns void
language plpgsql
as $$
begin
    execute definition;
exception when disk_full then
    if current_setting('max_parallel_maintenance_workers') = '0' then
        raise;
    end if;
    raise warning 'an index is built without parallel workers, which takes longer: %. A container gets more shared memory by --shm-size (shm_size in Compose)', sqlerrm;
    perform set_config('max_parallel_maintenance_workers', '0', true);
    execute definition;
end
$$;

-- The options of the index of a set's nearest neighbours, as build_vector_index makes it; null: those that pgvector has by
-- default (m = 16, ef_construction = 64). With these a search finds fewer of the films nearest to a question, and the index
-- takes half as long to build. The keyless models have them: what their searches miss is found by comparing more films.
create or replace function pipeline.vector_index_options(which integer) returns text
language sql stable
as $$
    select 'm=32, ef_construction=100' from pipeline.embedding_sets s
    where s.set_id = which and not (s.provider = 'local' and s.model like 'hashing-%')
$$;

-- Whether the index of a set was built completely, and whether with these options.
create or replace function pipeline.vector_index_state(which integer, out is_valid boolean, out is_current boolean)
language sql stable
as $$
    select x.indisvalid, array_to_string(c.reloptions, ', ') is not distinct from pipeline.vector_index_options(which)
    from pg_index x join pg_class c on c.oid = x.indexrelid
    where c.oid = to_regclass(format('catalog.%I', 'movie_vectors_' || which || '_nearest'))
$$;
drop function if exists pipeline.vector_index_options();

-- Builds the set's index of nearest neighbours if it has no valid one, or in any case with `anew`; returns whether it did.
-- The new index is built beside the old one, and searches go on with that until the last moment. The memory is set to
-- what the graph needs (vector, links and overhead), between 64 MB and 2 GB (on the embedded server twice its cache): a build
-- that spills is four times slower.
drop function if exists pipeline.build_vector_index(smallint);
drop function if exists pipeline.build_vector_index(integer);
create or replace function pipeline.build_vector_index(which integer, anew boolean default false) returns boolean
language plpgsql
as $$
declare
    target text := 'movie_vectors_' || which;
    index_name text := target || '_nearest';
    width integer := (select s.dimensions from pipeline.embedding_sets s where s.set_id = which);
    films bigint;
begin
    if to_regclass(format('catalog.%I', target || '_genres')) is null then
        perform pipeline.build_index(
            format('create index %I on catalog.%I using gin (genres)', target || '_genres', target));
        perform pipeline.build_index(format('create index %I on catalog.%I (release_year)', target || '_year', target));
    end if;
    if not anew and (select s.is_valid from pipeline.vector_index_state(which) s) then
        return false;
    end if;
    execute format('select count(*) from catalog.%I', target) into films;
    perform set_config(
        'maintenance_work_mem',
        least(
            2 * coalesce(current_setting('movie_assets.memory_mb', true)::integer, 1024),
            greatest(64, ceil(films * (width * 2 + 500) * 1.3 / 1048576)))::bigint || 'MB',
        true);
    perform pipeline.build_index(format(
        'create index %I on catalog.%I using hnsw (embedding halfvec_cosine_ops)%s',
        index_name || '_new', target, ' with (' || pipeline.vector_index_options(which) || ')'));
    execute format('analyze catalog.%I', target);
    -- Searches wait only for what follows.
    execute format('drop index if exists catalog.%I', index_name);
    execute format('alter index catalog.%I rename to %I', index_name || '_new', index_name);
    update pipeline.embedding_sets
    set bytes_per_vector = pg_relation_size(format('catalog.%I', index_name)::regclass) / greatest(1, films)
    where set_id = which;
    return true;
end
$$;

-- Run by reconciliation: the rows of the active set, and whether their text and filters are other ones than their film's.
create or replace function pipeline.compare_filters() returns table (tmdb_id bigint, differs boolean)
language plpgsql stable
as $$
declare
    active integer := (select s.set_id from pipeline.embedding_sets s where s.is_active);
begin
    if active is not null then
        return query execute format(
            'select v.tmdb_id,
                 (v.text_hash, v.release_year, v.genres, v.original_language, v.runtime_minutes, v.certification)
                 is distinct from
                 (m.text_hash, m.release_year, m.genres, m.original_language, m.runtime_minutes, m.certification)
             from catalog.%I v left join catalog.movies m using (tmdb_id)', 'movie_vectors_' || active);
    end if;
end
$$;
