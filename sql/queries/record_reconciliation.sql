-- Run by reconciliation for each agreement that it looked at.
insert into pipeline.reconciliations
    (reconciled_at, agreement, rows_compared, rows_differing, examples, repaired, run_id)
values (:moment, :agreement, :rows_compared, :rows_differing, :examples, :repaired, :run_id)
