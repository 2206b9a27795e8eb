-- Run by reconciliation for each agreement that it looked at.
insert into pipeline.reconciliations
    (reconciled_at, agreement, rows_compared, rows_differing, examples, repaired, run_id)
values (:moment, :agreement, :rows_compared, :rows_differing, :examples, :repaired, :run_id)
on conflict (reconciled_at, agreement) do update set
    rows_compared = excluded.rows_compared, rows_differing = excluded.rows_differing, examples = excluded.examples,
    repaired = excluded.repaired, run_id = excluded.run_id
