-- Applied after the migrations whenever it changes: the searchable table of each embedding set.

-- Brings catalog.movie_vectors_<set> in line with the accepted films and their paid-for vectors. A vector of
-- the wrong width or without direction stays out; a film whose text moved keeps its old vector until the new
-- one is there. Unchanged rows are not touched, so the index is not either.
create or replace function pipeline.refresh_vectors(which smallint)
returns table (removed integer, written integer, total integer)
language plpgsql
as $$
declare
    width integer := (select s.dimensions from pipeline.embedding_sets s where s.set_id = which);
    target text := format('catalog.%I', 'movie_vectors_' || which);
begin
    execute format(
        'create table if not exists %s (
             tmdb_id bigint primary key, text_hash text not null, embedding halfvec(%s) not null)', target, width);
    execute format(
        'delete from %s v where not exists (select from catalog.movies m where m.tmdb_id = v.tmdb_id)', target);
    get diagnostics removed = row_count;
    execute format(
        'with changed as materialized (
             select m.tmdb_id, m.text_hash
             from catalog.movies m left join %1$s v using (tmdb_id)
             where v.text_hash is distinct from m.text_hash)
         insert into %1$s as v (tmdb_id, text_hash, embedding)
         select c.tmdb_id, c.text_hash, e.embedding::halfvec
         from changed c join pipeline.embeddings e on e.tmdb_id = c.tmdb_id and e.text_hash = c.text_hash
         where e.set_id = %2$s and vector_dims(e.embedding) = %3$s and vector_norm(e.embedding) > 0
         order by c.tmdb_id
         on conflict (tmdb_id) do update set text_hash = excluded.text_hash, embedding = excluded.embedding',
        target, which, width);
    get diagnostics written = row_count;
    execute format('select count(*) from %s', target) into total;
    return next;
end
$$;

-- Builds the set's index if it has none that is valid; tells whether it did. The memory is set to what the
-- graph needs (vector, links and overhead), between 64 MB and 2 GB: a build that spills is four times slower.
create or replace function pipeline.build_vector_index(which smallint) returns boolean
language plpgsql
as $$
declare
    target text := 'movie_vectors_' || which;
    index_name text := target || '_nearest';
    is_valid boolean := (
        select x.indisvalid from pg_index x join pg_class c on c.oid = x.indexrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'catalog' and c.relname = index_name
    );
    width integer := (select s.dimensions from pipeline.embedding_sets s where s.set_id = which);
    films bigint;
begin
    if is_valid then
        return false;
    end if;
    execute format('drop index if exists catalog.%I', index_name);
    execute format('select count(*) from catalog.%I', target) into films;
    perform set_config(
        'maintenance_work_mem',
        least(2048, greatest(64, ceil(films * (width * 2 + 400) * 1.3 / 1048576)))::bigint || 'MB',
        true);
    execute format(
        'create index %I on catalog.%I using hnsw (embedding halfvec_cosine_ops)', index_name, target);
    execute format('analyze catalog.%I', target);
    return true;
end
$$;

-- Makes a set the one that searches see, in the caller's transaction: no search sees two sets or none.
create or replace function pipeline.activate_set(which smallint) returns void
language plpgsql
as $$
declare
    -- A view is dropped with the rights on it, and applications have some.
    rights text[] := array(
        select format(
            'grant %s on catalog.movie_vectors to %s', a.privilege_type,
            case when a.grantee = 0 then 'public' else quote_ident(a.grantee::regrole::text) end)
        from pg_class c cross join lateral aclexplode(c.relacl) a
        where c.oid = to_regclass('catalog.movie_vectors') and a.grantee <> c.relowner
    );
    statement text;
begin
    update pipeline.embedding_sets set is_active = false where is_active and set_id <> which;
    update pipeline.embedding_sets set is_active = true where set_id = which and not is_active;
    drop view if exists catalog.movie_vectors;
    execute format(
        'create view catalog.movie_vectors as select tmdb_id, text_hash, embedding from catalog.%I',
        'movie_vectors_' || which);
    foreach statement in array rights loop
        execute statement;
    end loop;
end
$$;
