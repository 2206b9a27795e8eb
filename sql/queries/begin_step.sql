-- Run when a step begins, while its run holds its lock: first closes the rows of steps whose process vanished (nobody
-- holds their run's lock) and of steps before it that could not be closed, then opens the step's own.
with buried as (
    update pipeline.run_log r
    set status = 'killed', ended_at = coalesce(r.worked_at, r.started_at),
        reason = 'its process vanished; found when the next step began'
    where r.ended_at is null and (r.run_id, r.step) <> (:run_id, :step)
      and (r.run_id = :run_id or not pipeline.run_lives(r.run_id))
)
insert into pipeline.run_log as r (run_id, job, step, trigger, triggered_by, moment)
values (:run_id, :job, :step, :trigger, :triggered_by, :moment)
on conflict (run_id, step) do update set
    started_at = clock_timestamp(), worked_at = null, ended_at = null, status = 'running', reason = null
returning r.log_id
