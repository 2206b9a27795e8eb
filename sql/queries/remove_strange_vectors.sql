-- Run by reconciliation when vectors are searched that are not the paid-for ones.
select pipeline.remove_strange_vectors() as repaired
