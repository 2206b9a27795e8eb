-- Run by checks: what a step refused at its last attempt.
select subject, reason, run_id, refused_at from pipeline.refusals where step = :step order by subject
