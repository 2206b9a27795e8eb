-- Applied after the migrations whenever it changes: keeps catalog.similar_titles, the ten nearest titles of every title, of its media
-- type. Functions that take some titles take those of one media type at once.

-- The media types that have vectors in a set.
create or replace function pipeline.media_of_set(in_set integer) returns setof text
language sql stable
as $$
    select t.media from unnest(catalog.media_types()) with ordinality t (media, place)
    where to_regclass('catalog.' || catalog.vector_table(in_set, t.media)) is not null order by t.place
$$;

-- The vectors of the active set, of all media types.
create or replace function pipeline.searched_titles() returns table (title_id bigint, text_hash text, embedding halfvec)
language plpgsql stable
as $$
declare
    active integer := (select s.set_id from catalog.embedding_sets s where s.is_active);
    media text;
begin
    for media in select pipeline.media_of_set(active) loop
        return query execute format(
            'select v.title_id, v.text_hash, v.embedding::halfvec from catalog.%I v', catalog.vector_table(active, media));
    end loop;
end
$$;

-- The titles of the active set, of all media types, with the hashes of the texts that their vectors were made from.
create or replace function pipeline.searched_texts() returns table (title_id bigint, text_hash text)
language plpgsql stable
as $$
declare
    active integer := (select s.set_id from catalog.embedding_sets s where s.is_active);
    media text;
begin
    for media in select pipeline.media_of_set(active) loop
        return query execute format('select v.title_id, v.text_hash from catalog.%I v', catalog.vector_table(active, media));
    end loop;
end
$$;

-- Films of the active set whose list is to be made: their vector is another one than the list was made from
-- (is_changed), or one of the films in it left, or a film that changed belongs in it.
create or replace function pipeline.similar_due() returns table (tmdb_id bigint, is_changed boolean)
language plpgsql stable
as $$
declare
    active integer := (select s.set_id from catalog.embedding_sets s where s.is_active);
    media text;
begin
    for media in select pipeline.media_of_set(active) loop
        return query execute format(
            'with vectors as materialized (
                 select v.title_id, v.text_hash from catalog.%I v join catalog.titles using (title_id)
             ), lengths as (
                 select s.title_id, count(*) as films from catalog.similar_titles s group by 1
             )
             select v.title_id, (l.set_id, l.text_hash) is distinct from ($1, v.text_hash)
             from vectors v
             left join pipeline.similar_title_lists l using (title_id)
             left join lengths n using (title_id)
             where (l.set_id, l.text_hash) is distinct from ($1, v.text_hash) or l.is_outdated
                or coalesce(n.films, 0) < least(10, (select count(*) from vectors) - 1)
             order by 2 desc, 1', catalog.vector_table(active, media)) using active::smallint;
    end loop;
end
$$;

drop function if exists pipeline.shared_features_of_pairs;  -- now in catalog

-- Moves films with a changed vector to their new places in the lists of other films: the lists that have them, and the
-- lists in which the table nearest_found shows that they belong. A list needs no search if its last place stays as
-- similar as before, because a film outside the list was less similar than the last place. Other lists are marked as
-- outdated and made again in their turn. Returns the number of lists that are up to date now.
create or replace function pipeline.move_in_lists(films bigint[], active integer) returns integer
language plpgsql
set jit = off
as $$
declare
    vectors text := catalog.vector_table(active, coalesce(catalog.media_type(films[1]), 'movie'));
    moved bigint[];
begin
    -- Tables, because the planner knows their size. With the parts of one query it compared all pairs with all lists.
    create temp table if not exists pairs (title_id bigint, similar_id bigint, primary key (title_id, similar_id))
        on commit delete rows;
    create temp table if not exists around (
        title_id bigint, place bigint, similar_id bigint, similarity real, shared_features jsonb, is_certain boolean
    ) on commit delete rows;
    truncate pairs, around;
    insert into pairs
    select s.title_id, s.similar_id from catalog.similar_titles s where s.similar_id = any (films) and s.title_id <> all (films)
    union
    select n.similar_id, n.title_id from nearest_found n where n.similar_id <> all (films) and n.similarity > (
        select min(s.similarity) from catalog.similar_titles s where s.title_id = n.similar_id);
    execute format(
        'with lasts as materialized (
             select p.title_id, (select min(s.similarity) from catalog.similar_titles s where s.title_id = p.title_id) as last
             from (select distinct title_id from pairs) p
             join pipeline.similar_title_lists l using (title_id)
             where l.set_id = $2 and not l.is_outdated
         ), lists as (
             select o.*, p.similar_id, (1 - (v.embedding <=> w.embedding))::real as similarity, null::jsonb as shared
             from lasts o join pairs p using (title_id)
             left join catalog.%1$I v on v.title_id = p.title_id left join catalog.%1$I w on w.title_id = p.similar_id
             union all
             select o.*, s.similar_id, s.similarity, s.shared_features
             from lasts o join catalog.similar_titles s using (title_id) where s.similar_id <> all ($1)
         ), placed as (
             select l.*, row_number() over (partition by l.title_id order by l.similarity desc nulls last, l.similar_id) as place
             from lists l
         )
         insert into around
         select p.title_id, p.place, p.similar_id, p.similarity, p.shared,
             bool_or(p.place = 10 and p.similarity >= p.last) over (partition by p.title_id)
         from placed p where p.place <= 10', vectors)
    using films, active::smallint;
    update pipeline.similar_title_lists l set is_outdated = true
    where l.title_id in (select a.title_id from around a where a.is_certain is not true);
    moved := array(select distinct a.title_id from around a where a.is_certain);
    delete from catalog.similar_titles s where s.title_id = any (moved);
    insert into catalog.similar_titles (title_id, place, similar_id, similarity, shared_features)
    select a.title_id, a.place, a.similar_id, a.similarity,
        coalesce(a.shared_features, catalog.shared_features(a.title_id, a.similar_id))
    from around a where a.is_certain;
    return cardinality(moved);
end
$$;

-- Stores the lists of `films`, whose vectors had these hashes when the table nearest_found was filled with the films
-- near them: ten of each, and fifty with `echo`. Films whose vector is another one now are left out and stay due. With
-- `echo`, the films are also moved in the lists of other films; a pass over the whole catalogue does not need that.
-- Returns the number of lists made and of other lists updated.
drop function if exists pipeline.store_similar_lists;
create function pipeline.store_similar_lists(in_set integer, films bigint[], hashes text[], echo boolean)
returns table (made integer, moved integer)
language plpgsql
set jit = off
as $$
declare
    current_films bigint[];
    places record;
begin
    execute format(
        'select coalesce(array_agg(v.title_id), ''{}'') from unnest($1, $2) f (title_id, text_hash)
         join catalog.%I v using (title_id, text_hash) join catalog.titles using (title_id)',
        catalog.vector_table(in_set, coalesce(catalog.media_type(films[1]), 'movie')))
    into current_films using films, hashes;
    delete from nearest_found n
    where n.title_id <> all (current_films) or not exists (select from catalog.titles m where m.title_id = n.similar_id);
    moved := case when echo then pipeline.move_in_lists(current_films, in_set) else 0 end;
    delete from catalog.similar_titles s where s.title_id = any (current_films);
    select array_agg(p.title_id) as films, array_agg(p.place) as numbers, array_agg(p.similar_id) as similar_ids,
        array_agg(p.similarity) as similarities
    into places
    from (
        select n.*, row_number() over (partition by n.title_id order by n.similarity desc, n.similar_id) as place
        from nearest_found n
    ) p
    where p.place <= 10;
    insert into catalog.similar_titles (title_id, place, similar_id, similarity, shared_features)
    select p.title_id, p.place, p.similar_id, p.similarity, f.shared_features
    from unnest(places.films, places.numbers, places.similar_ids, places.similarities)
        with ordinality p (title_id, place, similar_id, similarity, number)
    join catalog.shared_features_of_pairs(places.films, places.similar_ids) f using (number);
    insert into pipeline.similar_title_lists (title_id, set_id, text_hash)
    select f.title_id, in_set, f.text_hash from unnest(films, hashes) f (title_id, text_hash)
    where f.title_id = any (current_films)
    on conflict (title_id) do update set
        set_id = excluded.set_id, text_hash = excluded.text_hash, is_outdated = false;
    made := cardinality(current_films);
    return next;
end
$$;

-- Makes the temporary table nearest_found, or empties it: films near some films, for pipeline.store_similar_lists.
create or replace function pipeline.stage_nearest_found() returns void
language plpgsql
as $$
begin
    create temp table if not exists nearest_found (title_id bigint, similar_id bigint, similarity double precision)
        on commit delete rows;
    truncate nearest_found;
end
$$;

-- Makes the lists of some films in the active set by a search for each: see pipeline.store_similar_lists.
drop function if exists pipeline.make_similar_lists;
create function pipeline.make_similar_lists(films bigint[], echo boolean)
returns table (made integer, moved integer)
language plpgsql
set jit = off
as $$
declare
    active integer := (select s.set_id from catalog.embedding_sets s where s.is_active);
    media text := coalesce(catalog.media_type(films[1]), 'movie');
    most integer := case when echo then 50 else 10 end;
    hashes text[];
begin
    execute format(
        'select array_agg(v.title_id), array_agg(v.text_hash) from catalog.%I v where v.title_id = any ($1)',
        catalog.vector_table(active, media)) into films, hashes using films;
    perform pipeline.stage_nearest_found();
    insert into nearest_found
    select f.title_id, n.title_id, n.similarity
    from unnest(films) f (title_id)
    cross join lateral catalog.nearest_of_media(media, catalog.vector_of(f.title_id, active), most + 1, '{}', active) n
    where n.title_id <> f.title_id;
    return query select s.made, s.moved from pipeline.store_similar_lists(active, films, hashes, echo) s;
end
$$;

-- Vectors of a set for comparing all films, by their ids: those after an id, in the form of `halfvec_send`, or in that
-- of `sparsevec_send` where they are stored without their zeros.
drop function if exists pipeline.searched_vectors;
create function pipeline.searched_vectors(in_set integer, after bigint, most integer, media text default 'movie')
returns table (tmdb_id bigint, text_hash text, embedding bytea, is_short boolean)
language plpgsql stable
set jit = off
as $$
declare
    target regclass := format('catalog.%I', catalog.vector_table(in_set, media));
    is_short boolean := catalog.is_short(target);
begin
    return query execute format(
        'select v.title_id, v.text_hash, %s_send(v.embedding), $3
         from %s v join catalog.titles using (title_id)
         where v.title_id > $1 order by v.title_id limit $2', case when is_short then 'sparsevec' else 'halfvec' end, target)
        using after, most, is_short;
end
$$;

-- Run by reconciliation: places in the lists of the active set that differ from what the vectors and the films give
-- now. Lists that are due anyway are left out. shared_features is computed when a list is made, so it may be older
-- than the films' rows without being wrong.
create or replace function pipeline.compare_similar_lists()
returns table (tmdb_id bigint, place smallint, column_names text[])
language plpgsql
set jit = off
as $$
#variable_conflict use_column
declare
    active integer := (select s.set_id from catalog.embedding_sets s where s.is_active);
    media text;
begin
    for media in select pipeline.media_of_set(active) loop
        return query execute format(
            'select p.title_id, p.place, d.names
             from (
                 select s.*, (1 - (v.embedding <=> w.embedding))::real as computed,
                     row_number() over (partition by s.title_id order by s.place) as row,
                     lag(s.similarity) over (partition by s.title_id order by s.place) as before
                 from catalog.similar_titles s
                 join pipeline.similar_title_lists l on l.title_id = s.title_id and l.set_id = $1 and not l.is_outdated
                 join catalog.%1$I v on v.title_id = s.title_id and v.text_hash = l.text_hash
                 left join catalog.%1$I w on w.title_id = s.similar_id
             ) p
             cross join lateral (
                 select array_agg(c.name) as names from (values
                     (''place'', p.place <> p.row or p.similarity > p.before),
                     (''similar_id'', p.computed is null),
                     (''similarity'', abs(p.computed - p.similarity) > 0.0001),
                     (''shared_features'', p.shared_features <> catalog.shared_features(p.title_id, p.similar_id))
                 ) c (name, differs)
                 where c.differs
             ) d
             where d.names is not null', catalog.vector_table(active, media)) using active::smallint;
    end loop;
end
$$;
