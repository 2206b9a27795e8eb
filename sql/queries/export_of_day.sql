-- Run by the schedule read_the_day_at_0830: whether the export of a day itself was loaded.
select exists (select from pipeline.exports where export_date = :day) as is_loaded
