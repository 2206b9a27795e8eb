-- Run by tmdb_export once the lines are in incoming_lines: their median popularity, and how many ids of the load before
-- they list too (null when its lines were dropped).
select
    (select percentile_disc(0.5) within group (order by popularity) from incoming_lines) as median_popularity,
    case when exists (select from pipeline.export_lines where export_date = :day_before) then (
        select count(*) from pipeline.export_lines l
        where l.export_date = :day_before and exists (select from incoming_lines i where i.tmdb_id = l.tmdb_id)
    ) end as kept
