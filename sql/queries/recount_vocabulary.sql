-- Run by reconciliation when words were counted wrong.
select pipeline.recount_vocabulary() as repaired
