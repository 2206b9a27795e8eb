-- Run by a step that refuses an input: its check reports the refusal until a later attempt accepts the input.
insert into pipeline.refusals (step, subject, reason, run_id, refused_at)
values (:step, :subject, :reason, :run_id, :moment)
on conflict (step, subject) do update
set reason = excluded.reason, run_id = excluded.run_id, refused_at = excluded.refused_at
