-- name: begin_step
-- Run when a step begins, while its run holds its lock: closes the rows of steps whose process ended (their run's lock is
-- free) and of earlier steps that could not be closed, then opens the step's own.
with killed as (
    update pipeline.run_log r
    set status = 'killed', ended_at = coalesce(r.worked_at, r.started_at),
        reason = 'its process vanished; found when the next step began'
    where r.ended_at is null and (r.run_id, r.step) <> (:run_id, :step)
      and (r.run_id = :run_id or not pipeline.run_lives(r.run_id))
)
insert into pipeline.run_log as r (run_id, job, step, trigger, triggered_by, moment)
values (:run_id, :job, :step, :trigger, :triggered_by, :as_of)
on conflict (run_id, step) do update set
    started_at = clock_timestamp(), worked_at = null, ended_at = null, status = 'running', reason = null
returning r.log_id


-- name: count_rows
-- Run when a step has ended: the number of rows of its asset's table or view.
select pipeline.count_rows(to_regclass(:table)) as rows


-- name: end_step
-- Run when a step has ended, however it did.
update pipeline.run_log
set status = :status, reason = left(cast(:reason as text), 500), ended_at = clock_timestamp()
where log_id = :log_id
returning
    checked::bigint, skipped::bigint, fetched::bigint, changed::bigint, failed::bigint, gone::bigint, embedded::bigint,
    tokens::bigint, dollars::double precision, duration


-- name: first_day
-- Run when Dagster loads the definitions: the first day of the catalogue; no row before a day was read.
select day from pipeline.first_day


-- name: log_work
-- Run with each chunk of a step, in the chunk's transaction: adds the chunk's figures to those of the step.
update pipeline.run_log set
    worked_at = clock_timestamp(), status = 'running', ended_at = null, reason = null, -- it lives, even if it was marked as killed
    checked = checked + :checked, skipped = skipped + :skipped, fetched = fetched + :fetched,
    changed = changed + :changed, failed = failed + :failed, gone = gone + :gone,
    embedded = embedded + :embedded, tokens = tokens + :tokens, dollars = dollars + cast(:dollars as numeric)
where run_id = :run_id and step = :step
