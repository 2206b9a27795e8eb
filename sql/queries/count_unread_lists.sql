-- Run by the sensor lists_were_not_read: 1 while an export failed today, no run has read the lists since the day began, and
-- there are ids of an earlier export.
select (
    exists (select from pipeline.ids_as_of)
    and exists (
        select from pipeline.run_log r
        where r.step in ('tmdb_export', 'movie_ids') and r.status = 'failed'
          and r.started_at >= date_trunc('day', cast(:moment as timestamptz)))
    and not exists (
        select from pipeline.run_log r
        where r.step = 'tmdb_discoveries' and r.status = 'succeeded'
          and r.started_at >= date_trunc('day', cast(:moment as timestamptz)))
)::integer as work
