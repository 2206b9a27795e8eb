-- Run when a step begins, on a connection that holds its lock from now on: first closes the rows of steps whose process
-- vanished (nobody holds their lock), then opens the step's own. The row is seen by others only once the lock is held.
with buried as (
    update pipeline.run_log r
    set status = 'killed', ended_at = coalesce(r.worked_at, r.started_at),
        reason = 'its process vanished; found when the next step began'
    where r.ended_at is null and (r.run_id, r.step) <> (:run_id, :step) and r.log_id not in (
        select l.objid::bigint from pg_locks l
        where l.locktype = 'advisory' and l.objsubid = 2 and l.classid = cast(cast(:lock_class as integer) as oid)
          and l.database = (select d.oid from pg_database d where d.datname = current_database())
    )
), begun as (
    insert into pipeline.run_log as r (run_id, job, step, trigger, triggered_by, moment)
    values (:run_id, :job, :step, :trigger, :triggered_by, :moment)
    on conflict (run_id, step) do update set
        started_at = clock_timestamp(), worked_at = null, ended_at = null, status = 'running', reason = null
    returning r.log_id
)
select b.log_id, pg_try_advisory_lock(cast(:lock_class as integer), b.log_id) as is_held from begun b
