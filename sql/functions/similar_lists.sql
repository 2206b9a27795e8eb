-- Applied after the migrations whenever it changes: keeps catalog.similar_movies, the ten nearest films of every film.

-- Films of the active set whose list is to be made: their vector is another one than the list was made from (is_changed),
-- or one of the films in it left, or a film that changed belongs in it.
create or replace function pipeline.similar_due() returns table (tmdb_id bigint, is_changed boolean)
language plpgsql stable
as $$
declare
    active integer := (select s.set_id from catalog.embedding_sets s where s.is_active);
begin
    if active is null then
        return;
    end if;
    return query execute format(
        'with vectors as materialized (
             select v.tmdb_id, v.text_hash from catalog.%I v join catalog.movies using (tmdb_id)
         ), lengths as (
             select s.tmdb_id, count(*) as films from catalog.similar_movies s group by 1
         )
         select v.tmdb_id, (l.set_id, l.text_hash) is distinct from ($1, v.text_hash)
         from vectors v
         left join pipeline.similar_lists l using (tmdb_id)
         left join lengths n using (tmdb_id)
         where (l.set_id, l.text_hash) is distinct from ($1, v.text_hash) or l.is_outdated
            or coalesce(n.films, 0) < least(10, (select count(*) from vectors) - 1)
         order by 2 desc, 1', 'movie_vectors_' || active) using active::smallint;
end
$$;

-- Makes the lists of some films in the active set. With `echo`, lists of films around a changed one that it belongs in,
-- or was in, become outdated; a pass over the whole catalogue needs none. Tells how many lists were made.
create or replace function pipeline.make_similar_lists(films bigint[], echo boolean) returns integer
language plpgsql
set hnsw.iterative_scan = relaxed_order
set hnsw.ef_search = 100
set enable_seqscan = off
set enable_sort = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
    active integer := (select s.set_id from catalog.embedding_sets s where s.is_active);
    made integer;
    is_small boolean;
begin
    execute format('select count(*) < 2000 from (select from catalog.%I limit 2000) v', 'movie_vectors_' || active)
    into is_small;
    create temp table if not exists near (tmdb_id bigint, similar_id bigint, similarity double precision)
        on commit delete rows;
    truncate near;
    execute format(
        'insert into near
         select v.tmdb_id, n.tmdb_id, 1 - n.distance
         from unnest($1) f (tmdb_id)
         join catalog.%1$I v on v.tmdb_id = f.tmdb_id
         cross join lateral (
             select m.tmdb_id, m.embedding <=> v.embedding as distance
             from catalog.%1$I m
             where m.tmdb_id <> v.tmdb_id and exists (select from catalog.movies c where c.tmdb_id = m.tmdb_id)
             order by %2$s
             limit $2
         ) n', 'movie_vectors_' || active,
        -- As in catalog.nearest_movies, few films are all compared ("+ 0" keeps the index out).
        case when is_small then '(m.embedding <=> v.embedding) + 0' else 'm.embedding <=> v.embedding' end) using films, case when echo then 50 else 10 end;
    if echo then
        update pipeline.similar_lists l set is_outdated = true
        from near n
        where l.tmdb_id = n.similar_id and not l.is_outdated and n.similarity > (
            select min(s.similarity) from catalog.similar_movies s where s.tmdb_id = n.similar_id);
        update pipeline.similar_lists l set is_outdated = true
        from catalog.similar_movies s
        where s.similar_id = any (films) and l.tmdb_id = s.tmdb_id and not l.is_outdated;
    end if;
    delete from catalog.similar_movies s where s.tmdb_id = any (films);
    insert into catalog.similar_movies (tmdb_id, place, similar_id, similarity, shared_features)
    select p.tmdb_id, p.place, p.similar_id, p.similarity, catalog.shared_features(p.tmdb_id, p.similar_id)
    from (
        select n.*, row_number() over (partition by n.tmdb_id order by n.similarity desc, n.similar_id) as place
        from near n
    ) p
    where p.place <= 10;
    execute format(
        'insert into pipeline.similar_lists (tmdb_id, set_id, text_hash)
         select v.tmdb_id, $2, v.text_hash from catalog.%I v join catalog.movies using (tmdb_id)
         where v.tmdb_id = any ($1)
         on conflict (tmdb_id) do update set
             set_id = excluded.set_id, text_hash = excluded.text_hash, is_outdated = false',
        'movie_vectors_' || active) using films, active::smallint;
    get diagnostics made = row_count;
    return made;
end
$$;
