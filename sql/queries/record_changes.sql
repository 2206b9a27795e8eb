-- Run by tmdb_changes for each day: an id counts as changed when it is first seen in that day's feed.
with fresh as (
    insert into pipeline.changes (change_date, tmdb_id, seen_at)
    select :change_date, t.tmdb_id, :moment from unnest(cast(:tmdb_ids as bigint[])) as t (tmdb_id)
    on conflict do nothing
    returning tmdb_id
), marked as (
    update pipeline.movie_ids i set changed_at = :moment
    from fresh f where f.tmdb_id = i.tmdb_id and i.gone_since is null
    returning i.tmdb_id
), day as (
    insert into pipeline.change_days (change_date, ids, read_at)
    values (:change_date, cardinality(cast(:tmdb_ids as bigint[])), :moment)
    on conflict (change_date) do update set ids = excluded.ids, read_at = excluded.read_at
), forgotten as (
    delete from pipeline.changes where change_date < cast(:change_date as date) - 15
)
select (select count(*) from fresh) as fresh, (select count(*) from marked) as marked
