-- Run when Dagster loads the definitions: the day that the catalogue begins on; no row before the first was read.
select day from pipeline.first_day
