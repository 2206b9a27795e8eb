-- name: begin_unit
-- Run before all else in a unit of work: changes no row if the unit was committed and only the confirmation was lost.
with forgotten as (
    delete from pipeline.units where unit in (
        select unit from pipeline.units where begun_at < now() - interval '1 day'
        order by begun_at limit 10 for update skip locked
    )
)
insert into pipeline.units (unit) values (:unit) on conflict do nothing


-- name: forget_schema_files
-- Run after a migration: deletes the records of files that this release has moved or removed.
delete from movie_assets_schema where file not like 'migrations/%%' and file != all (cast(:names as text[]))

-- name: grant_reader
-- Run after migrations: grants the roles of applications their rights.
select pipeline.grant_reader()


-- name: lock_holders
-- Run when a migration waited in vain: sessions in a transaction with a lock on one of our tables, the oldest first.
select a.pid, a.application_name, a.usename, a.state, a.xact_start at time zone 'UTC' as xact_start
from pg_stat_activity a
where a.pid <> pg_backend_pid() and a.datname = current_database() and a.xact_start is not null and exists (
    select from pg_locks l
    join pg_class c on c.oid = l.relation
    join pg_namespace n on n.oid = c.relnamespace
    where l.pid = a.pid and l.granted and n.nspname in ('catalog', 'pipeline')
)
order by a.xact_start limit 3


-- name: pin_search_paths
-- Run after migrations: lets functions find pgvector, whatever the search_path of their caller.
select pipeline.pin_search_paths() as pinned


-- name: steps_that_failed
-- Run by movie-assets status: the steps whose newest run failed, and why.
select n.step, n.reason, n.ended_at
from (select distinct on (l.step) l.step, l.status, l.reason, l.ended_at
      from pipeline.run_log l where l.ended_at is not null order by l.step, l.log_id desc) n
where n.status = 'failed'
order by n.ended_at


-- name: status
-- Run by movie-assets status: the state of the titles of a media type, and the tokens and dollars of all, in one row.
with ids as (
    select count(*) as ids, count(*) filter (where state = 'gone') as gone, count(*) filter (where state = 'failed') as failed,
        count(*) filter (where state = 'candidate') as candidates
    from pipeline.title_ids where title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
)
select
    (select count(*) from catalog.titles
     where title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999))::integer as titles,
    (select max(export_date) from pipeline.title_exports where media_type = :media) as last_export_date,
    (select source from pipeline.title_exports where media_type = :media order by export_date desc limit 1) as source,
    (select count(*) from pipeline.due_at(:as_of) d (title_id)
     where d.title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999))::integer as due,
    i.ids::integer as ids, i.gone::integer as gone, i.failed::integer as failed, i.candidates::integer as candidates,
    (select coalesce(sum(tokens), 0) from pipeline.embedding_costs)::bigint as tokens_embedded,
    (select coalesce(sum(dollars), 0) from pipeline.embedding_costs)::double precision as dollars
from ids i
