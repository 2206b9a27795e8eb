-- Run by reconciliation for people, genres and the like that no response says.
select pipeline.repair_shared_rows() as repaired
