-- Run by tmdb_changes: the last day of the change feed that was read to its end.
select max(change_date) as day from pipeline.change_days where change_date < :day
