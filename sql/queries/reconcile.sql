-- Run by reconciliation: tables that must agree, compared row by row.
select agreement, rows_compared, rows_differing, examples from pipeline.reconcile(:template) order by agreement
