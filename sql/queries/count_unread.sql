-- Run by the sensor no_day_was_read_yet: 1 while no export was ever loaded.
select (not exists (select from pipeline.exports))::integer as work
