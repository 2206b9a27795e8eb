-- Run by reconciliation's check: what the recount of its own run found.
select agreement, rows_compared, rows_differing, examples, repaired from pipeline.reconciliations where run_id = :run_id
