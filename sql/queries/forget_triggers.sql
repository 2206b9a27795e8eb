-- Run by the schedule read_the_day_at_0830: forgets triggers that a release has renamed or removed.
delete from pipeline.triggers where name <> all(cast(:names as text[]))
