-- Applied after the migrations whenever it changes: the searchable table of each embedding set.

-- Makes the former name of a set's table a view of its movies, for applications that read it. It is made anew, as the vectors of
-- another form are another type.
create or replace function pipeline.make_view_of_vectors(which integer) returns void
language plpgsql
as $$
begin
    execute format('drop view if exists catalog.%I', 'movie_vectors_' || which);
    execute format(
        'create view catalog.%I as
         select title_id as tmdb_id, text_hash, embedding, release_year, genres, original_language, runtime_minutes, certification
         from catalog.%I where title_id < 1000000000', 'movie_vectors_' || which, 'title_vectors_' || which);
end
$$;

-- Tables of the release before get their names here and not in a migration, as its functions read the places of their rows,
-- which a view does not have: the functions that read the new names come in the same transaction. No row is rewritten.
do $$
declare
    found record;
begin
    for found in
        select c.oid::regclass as target, c.relname as former_name, replace(c.relname, 'movie_', 'title_') as name,
            substring(c.relname from '\d+$')::integer as set_id
        from pg_class c
        where c.relnamespace = 'catalog'::regnamespace and c.relkind = 'r' and c.relname ~ '^movie_vectors_\d+$'
    loop
        execute format('alter table %s rename column tmdb_id to title_id', found.target);
        execute format('alter table %s rename to %I', found.target, found.name);
        perform pipeline.rename_parts(format('catalog.%I', found.name)::regclass, found.former_name, found.name);
        perform pipeline.make_view_of_vectors(found.set_id), pipeline.copy_rights(
            format('catalog.%I', found.name)::regclass, format('catalog.%I', found.former_name)::regclass);
    end loop;
end
$$;

-- Comments on the table of a set's vectors for a media type: its columns are those of catalog.titles and of catalog.movie_vectors.
drop function if exists pipeline.comment_on_vectors(integer);
create or replace function pipeline.comment_on_vectors(which integer, media text) returns void
language plpgsql
as $$
declare
    target regclass := format('catalog.%I', catalog.vector_table(which, media))::regclass;
    former regclass := case when media = 'movie' then to_regclass(format('catalog.%I', 'movie_vectors_' || which)) end;
    found record;
begin
    if former is not null then
        execute format('comment on view %s is %L', former, format('the movies of %s, by its former name', target));
    end if;
    execute format(
        'comment on table %s is %L', target,
        (select format('vectors of embedding set %s (%s %s, %s dimensions), of %s, with what searches filter on',
                       s.set_id, s.provider, s.model, s.dimensions, case media when 'movie' then 'movies' else media end)
         from pipeline.embedding_sets s where s.set_id = which));
    for found in
        select a.attname as name,
            coalesce(
                (select col_description(v.attrelid, v.attnum) from pg_attribute v
                 where v.attrelid = 'catalog.movie_vectors'::regclass and v.attname = a.attname),
                (select col_description(m.attrelid, m.attnum) from pg_attribute m
                 where m.attrelid = 'catalog.titles'::regclass and m.attname = a.attname)) as comment
        from pg_attribute a where a.attrelid = target and a.attnum > 0 and not a.attisdropped
    loop
        execute format(
            'comment on column %s.%I is %L', target, found.name,
            found.comment);
        if former is not null then
            execute format('comment on column %s.%I is %L', former,
                case when found.name = 'title_id' then 'tmdb_id' else found.name end, found.comment);
        end if;
    end loop;
end
$$;

-- Whether a table of vectors has them without their zeros.
create or replace function catalog.is_short(vectors regclass) returns boolean
language sql stable
as $$
    select t.typname = 'sparsevec' from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = vectors and a.attname = 'embedding'
$$;

-- Whether the vectors of a set are to be stored without their zeros: if they have 1,000 dimensions or more and at
-- most an eighth of the components is not 0 (a quarter, if the set's table has that form), as in vectors of hashed
-- words. They take 8 bytes for each other component then, in place of 2 for each, and comparing two takes as long as they have
-- other components.
create or replace function pipeline.suits_short_form(which integer) returns boolean
language sql stable
as $$
    select s.dimensions >= 1000 and coalesce((
        -- sparsevec_send takes 8 bytes for a component that is not 0, and 12.
        select avg(octet_length(sparsevec_send(e.embedding::sparsevec)) - 12) / 8
        from (select * from pipeline.title_embeddings e
              where e.set_id = which and e.dimensions = s.dimensions and e.length > 0 limit 100) e
    ), s.dimensions) <= s.dimensions / case when catalog.is_short(to_regclass('catalog.title_vectors_' || which))
        then 4.0 else 8.0 end
    from pipeline.embedding_sets s where s.set_id = which
$$;

-- The expression that brings a vector into the form of a set's table. An index takes 1,000 components that are not 0.
create or replace function pipeline.in_form_of(vectors regclass, expression text) returns text
language sql stable
as $$
    select case when catalog.is_short(vectors)
        then format('catalog.strongest_components((%s)::halfvec::sparsevec, 1000)', expression)
        else format('(%s)::halfvec', expression) end
$$;

-- Creates a table for the vectors of a set. Vectors that fit on a page are stored in the rows (plain), where comparing
-- them is three times as fast as out of line. The rest of a row always fits beside a vector of 3,072 dimensions, or
-- 1,000 components without zeros, and is never moved out of line (toast_tuple_target).
create or replace function pipeline.create_vector_table(name text, width integer, is_short boolean) returns void
language plpgsql
as $$
begin
    execute format(
        'create table catalog.%I (
             title_id bigint primary key, text_hash text not null, embedding %s(%s) not null,
             release_year smallint, genres text[] not null, original_language text, runtime_minutes smallint,
             certification text
         ) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, toast_tuple_target = 8160)',
        name, case when is_short then 'sparsevec' else 'halfvec' end, width);
    execute format('alter table catalog.%I alter column embedding set storage %s', name,
                   case when is_short or width <= 3072 then 'plain' else 'external' end);
end
$$;

-- Builds an index; once more without parallel workers when the shared memory that these exchange data through is too
-- small. Containers have 64 MB of /dev/shm unless they are given more, and the server reports it as a full disk. A
-- disk that is full fails the second time, too.
create or replace function pipeline.build_index(definition text) returns void
language plpgsql
as $$
begin
    execute definition;
exception when disk_full then
    if current_setting('max_parallel_maintenance_workers') = '0' then
        raise;
    end if;
    raise warning 'an index is built without parallel workers, which takes longer: %. '
        'A container gets more shared memory by --shm-size (shm_size in Compose)', sqlerrm;
    perform set_config('max_parallel_maintenance_workers', '0', true);
    execute definition;
end
$$;

-- The columns of a set's table that filters are on, and what an index of each is on. Without one a search that few
-- films pass reads all rows, vectors included, to find them.
create or replace function pipeline.filter_columns() returns table (name text, indexed text)
language sql immutable
as $$
    values ('genres', 'using gin (genres)'), ('year', '(release_year)'), ('runtime', '(runtime_minutes)'),
        ('language', '(original_language)'), ('certification', '(certification)')
$$;

-- Makes the indexes of filters that a set's table does not have.
create or replace function pipeline.index_filters(target text) returns void
language plpgsql
as $$
declare
    missing record;
begin
    for missing in
        select target || '_' || c.name as name, c.indexed from pipeline.filter_columns() c
        where to_regclass(format('catalog.%I', target || '_' || c.name)) is null
    loop
        perform pipeline.build_index(format('create index %I on catalog.%I %s', missing.name, target, missing.indexed));
    end loop;
    if found then
        execute format('analyze catalog.%I', target);
    end if;
end
$$;

-- Stores the vectors of a set in the form that suits them, if their table has another one, as that of an older
-- release; returns whether it did. The new table is filled beside the old one, and searches go on with that until the
-- last moment.
create or replace function pipeline.store_in_suitable_form(which integer) returns boolean
language plpgsql
as $$
declare
    media text;
    is_changed boolean := false;
begin
    foreach media in array catalog.media_types() loop
        is_changed := pipeline.store_media_in_suitable_form(which, media) or is_changed;
    end loop;
    return is_changed;
end
$$;

-- As pipeline.store_in_suitable_form, for one media type.
create or replace function pipeline.store_media_in_suitable_form(which integer, media text) returns boolean
language plpgsql
as $$
declare
    target text := catalog.vector_table(which, media);
    present regclass := to_regclass('catalog.' || target);
    fresh text := target || '_new';
    suffix text;
    suits_short boolean := pipeline.suits_short_form(which);
begin
    if present is null or suits_short = catalog.is_short(present) then
        return false;
    end if;
    execute format('drop table if exists catalog.%I', fresh);
    perform pipeline.create_vector_table(
        fresh, (select s.dimensions from pipeline.embedding_sets s where s.set_id = which), suits_short);
    execute format(
        'insert into catalog.%I select v.title_id, v.text_hash, %s, v.release_year, v.genres, v.original_language,
             v.runtime_minutes, v.certification
         from %s v order by v.title_id',
        fresh, pipeline.in_form_of(('catalog.' || fresh)::regclass, 'v.embedding'), present);
    perform pipeline.index_filters(fresh);
    -- Searches wait only for what follows.
    if media = 'movie' and (select s.is_active from pipeline.embedding_sets s where s.set_id = which) then
        execute format(
            'create or replace view catalog.movie_vectors as
             select title_id as tmdb_id, text_hash, embedding::halfvec as embedding from catalog.%I', fresh);
    end if;
    if media = 'movie' then
        execute format('drop view if exists catalog.%I', 'movie_vectors_' || which);
    end if;
    execute format('drop table %s', present);
    execute format('alter table catalog.%I rename to %I', fresh, target);
    for suffix in select c.name from pipeline.filter_columns() c union all select 'pkey' loop
        execute format('alter index catalog.%I rename to %I', fresh || '_' || suffix, target || '_' || suffix);
    end loop;
    if media = 'movie' then
        perform pipeline.make_view_of_vectors(which);
    end if;
    perform pipeline.comment_on_vectors(which, media);
    return true;
end
$$;

-- Brings the tables of a set's vectors, one for each media type, in line with the accepted titles and their paid-for vectors. A
-- vector of the wrong width or without direction stays out; a title whose text moved keeps its old vector until the new
-- one is there. Unchanged rows are not touched, so the indexes are not either. Another media type than movies has a table from
-- its first title on.
drop function if exists pipeline.refresh_vectors(smallint);
create or replace function pipeline.refresh_vectors(which integer)
returns table (removed integer, written integer, refiltered integer, total integer)
language plpgsql
as $$
declare
    replaced bigint[];
begin
    -- Vectors that another one of the same text replaced, and the lists of similar films that were made from them.
    with published as (
        update pipeline.title_embeddings e set is_replaced = false
        where e.set_id = which and e.is_replaced
        returning e.title_id)
    select array(select p.title_id from published p) into replaced;
    delete from pipeline.similar_title_lists l where l.set_id = which and l.title_id = any (replaced);
    return query
    select sum(r.removed)::integer, sum(r.written)::integer, sum(r.refiltered)::integer, sum(r.total)::integer
    from unnest(catalog.media_types()) t (media)
    cross join lateral pipeline.refresh_vectors_of_media(which, t.media, replaced) r;
end
$$;

-- As pipeline.refresh_vectors, for one media type; `replaced` are titles whose vector is another one of the same text.
create or replace function pipeline.refresh_vectors_of_media(which integer, media text, replaced bigint[])
returns table (removed integer, written integer, refiltered integer, total integer)
language plpgsql
as $$
declare
    width integer := (select s.dimensions from pipeline.embedding_sets s where s.set_id = which);
    target text := format('catalog.%I', catalog.vector_table(which, media));
    first_id bigint := catalog.title_id(media, 0);
    is_first boolean;
begin
    removed := 0;
    written := 0;
    refiltered := 0;
    total := 0;
    if to_regclass(target) is null then
        if media <> 'movie' and not exists (
            select from catalog.titles m where m.title_id between first_id and first_id + 999999999)
        then
            return next;
            return;
        end if;
        perform pipeline.create_vector_table(catalog.vector_table(which, media), width, pipeline.suits_short_form(which));
        if media = 'movie' then
            perform pipeline.make_view_of_vectors(which);
        end if;
        perform pipeline.comment_on_vectors(which, media);
    end if;
    execute format(
        'delete from %s v where not exists (select from catalog.titles m where m.title_id = v.title_id)', target);
    get diagnostics removed = row_count;
    execute format('select not exists (select from %s)', target) into is_first;
    if is_first or (select 2 * c.reltuples from pg_class c where c.oid = 'pipeline.title_embeddings'::regclass)
        < (select count(*) from catalog.titles)
    then
        -- Autovacuum looks once a minute. Until it has seen the vectors of a new set, Postgres expects one of them, and
        -- would compare each with all titles.
        analyze pipeline.title_embeddings;
    end if;
    execute format(
        'with changed as materialized (
             select m.title_id, m.text_hash
             from catalog.titles m left join %1$s v using (title_id)
             where (v.text_hash is distinct from m.text_hash or m.title_id = any ($1))
               and m.title_id between $2 and $2 + 999999999)
         insert into %1$s as v (
             title_id, text_hash, embedding, release_year, genres, original_language, runtime_minutes, certification)
         select c.title_id, c.text_hash, %4$s, m.release_year, m.genres, m.original_language,
             m.runtime_minutes, m.certification
         from changed c
         join pipeline.title_embeddings e on e.title_id = c.title_id and e.text_hash = c.text_hash
         join catalog.titles m on m.title_id = c.title_id
         where e.set_id = %2$s and e.dimensions = %3$s and e.length > 0
         order by c.title_id
         on conflict (title_id) do update set
             text_hash = excluded.text_hash, embedding = excluded.embedding, release_year = excluded.release_year,
             genres = excluded.genres, original_language = excluded.original_language,
             runtime_minutes = excluded.runtime_minutes, certification = excluded.certification',
        target, which, width, pipeline.in_form_of(target::regclass, 'e.embedding')) using replaced, first_id;
    get diagnostics written = row_count;
    execute format(
        'update %s v
         set release_year = m.release_year, genres = m.genres, original_language = m.original_language,
             runtime_minutes = m.runtime_minutes, certification = m.certification
         from catalog.titles m
         where m.title_id = v.title_id
           and (v.release_year, v.genres, v.original_language, v.runtime_minutes, v.certification)
               is distinct from (m.release_year, m.genres, m.original_language, m.runtime_minutes, m.certification)',
        target);
    get diagnostics refiltered = row_count;
    execute format('select count(*) from %s', target) into total;
    return next;
end
$$;

-- The options of the index of a set's nearest neighbours, as build_vector_index makes it. With those that pgvector has
-- by default (m = 16, ef_construction = 64) the index takes half as long to build, and a search finds fewer of the
-- films nearest to a question.
create or replace function pipeline.vector_index_options(which integer, media text) returns text
language sql stable
as $$
    select case when catalog.is_short(to_regclass('catalog.' || catalog.vector_table(which, media)))
        then 'm=24, ef_construction=100' else 'm=32, ef_construction=100' end
$$;

-- The index of a set for a media type: whether it has one that was built completely, whether with these options, and whether it needs
-- one (catalog.compared_below). One that is there stays until a fifth fewer films than that are left.
drop function if exists pipeline.vector_index_state(integer);
create or replace function pipeline.vector_index_state(
    which integer, media text default 'movie', out is_needed boolean, out is_valid boolean, out is_current boolean
)
language plpgsql stable
as $$
declare
    target regclass := to_regclass(format('catalog.%I', catalog.vector_table(which, media)));
    index_name regclass := to_regclass(format('catalog.%I', catalog.vector_table(which, media) || '_nearest'));
    enough double precision := catalog.compared_below(target) * case when index_name is null then 1 else 0.8 end;
    films bigint;
begin
    if target is not null then
        execute format('select count(*) from (select from %s limit $1) v', target)
        into films using ceil(enough)::bigint;
    end if;
    is_needed := coalesce(films >= enough, false);
    select x.indisvalid, array_to_string(c.reloptions, ', ') is not distinct from pipeline.vector_index_options(which, media)
    into is_valid, is_current
    from pg_index x join pg_class c on c.oid = x.indexrelid where c.oid = index_name;
    is_valid := coalesce(is_valid, false);
    is_current := coalesce(is_current, false);
end
$$;
drop function if exists pipeline.vector_index_options(), pipeline.vector_index_options(integer);

-- Builds the set's index of nearest neighbours if it needs one and has no valid one, or has one and is to be built
-- `anew`; returns whether it did. An index that is not needed is dropped. The new index is built beside the old one,
-- and searches go on with that until the last moment. The memory is set to what the graph needs (vector, links and
-- overhead), between 64 MB and 2 GB (on the embedded server twice its cache): a build that spills is four times
-- slower.
drop function if exists pipeline.build_vector_index(smallint);
drop function if exists pipeline.build_vector_index(integer);
create or replace function pipeline.build_vector_index(which integer, anew boolean default false) returns boolean
language plpgsql
as $$
declare
    media text;
    is_built boolean := false;
begin
    foreach media in array catalog.media_types() loop
        if media = 'movie' or to_regclass('catalog.' || catalog.vector_table(which, media)) is not null then
            is_built := pipeline.build_vector_index_of_media(which, media, anew) or is_built;
        end if;
    end loop;
    return is_built;
end
$$;

-- As pipeline.build_vector_index, for one media type.
create or replace function pipeline.build_vector_index_of_media(which integer, media text, anew boolean) returns boolean
language plpgsql
as $$
declare
    target text := catalog.vector_table(which, media);
    index_name text := target || '_nearest';
    state record;
    is_short boolean := catalog.is_short(to_regclass('catalog.' || target));
    films bigint;
    bytes double precision;
begin
    perform pipeline.index_filters(target);
    select * into state from pipeline.vector_index_state(which, media);
    if not state.is_needed then
        execute format('drop index if exists catalog.%I', index_name);
        return false;
    elsif state.is_valid and not anew then
        return false;
    end if;
    execute format('select count(*), avg(octet_length(%s_send(v.embedding))) from (select * from catalog.%I) v',
                   case when is_short then 'sparsevec' else 'halfvec' end, target) into films, bytes;
    perform set_config(
        'maintenance_work_mem',
        least(
            2 * coalesce(current_setting('movie_assets.memory_mb', true)::integer, 1024),
            greatest(64, ceil(films * (bytes + 1000) * 1.3 / 1048576)))::bigint || 'MB',
        true);
    perform pipeline.build_index(format(
        'create index %I on catalog.%I using hnsw (embedding %s_cosine_ops)%s',
        index_name || '_new', target, case when is_short then 'sparsevec' else 'halfvec' end,
        format(' with (%s)', pipeline.vector_index_options(which, media))));
    execute format('analyze catalog.%I', target);
    -- Searches wait only for what follows.
    execute format('drop index if exists catalog.%I', index_name);
    execute format('alter index catalog.%I rename to %I', index_name || '_new', index_name);
    update pipeline.embedding_sets
    set bytes_per_vector = pg_relation_size(format('catalog.%I', index_name)::regclass) / greatest(1, films)
    where set_id = which and media = 'movie';
    return true;
end
$$;

-- Run by reconciliation: the rows of the active set, and whether their text and filters are other ones than their
-- film's.
create or replace function pipeline.compare_filters() returns table (tmdb_id bigint, differs boolean)
language plpgsql stable
as $$
declare
    active integer := (select s.set_id from pipeline.embedding_sets s where s.is_active);
    target regclass;
begin
    for target in
        select t.name::regclass
        from (select 'catalog.' || catalog.vector_table(active, t.media) from unnest(catalog.media_types()) t (media)) t (name)
        where to_regclass(t.name) is not null
    loop
        return query execute format(
            'select v.title_id,
                 (v.text_hash, v.release_year, v.genres, v.original_language, v.runtime_minutes, v.certification)
                 is distinct from
                 (m.text_hash, m.release_year, m.genres, m.original_language, m.runtime_minutes, m.certification)
             from %s v left join catalog.titles m using (title_id)', target);
    end loop;
end
$$;
