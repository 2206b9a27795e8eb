-- Run by retention: deletes what has been kept long enough.
select kind, kept_days, rows_deleted from pipeline.clean_up(:moment)
