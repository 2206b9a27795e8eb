-- Run by movie_ids: brings the ids' states in line with a day's export.
select * from pipeline.apply_export(
    :day, cast(:min_popularities as double precision[]), cast(:ranks as integer[]), cast(:rules as jsonb), :target
)
