-- Run by tmdb_export once the lines are in incoming_lines: replaces the day's lines and records the load.
with replaced as materialized (
    select
        pipeline.replace_export_lines(:day) as kept,
        (select percentile_disc(0.5) within group (order by popularity) from incoming_lines) as median
)
insert into pipeline.exports as e (
    export_date, source, url, lines, rejected_lines, duplicate_lines, median_popularity, loaded_at, run_id,
    asked_for
)
select :day, :source, :url, kept, :rejected, :lines - kept, median, now(), :run_id, :asked from replaced
on conflict (export_date) do update set
    source = excluded.source, url = excluded.url, lines = excluded.lines,
    rejected_lines = excluded.rejected_lines, duplicate_lines = excluded.duplicate_lines,
    median_popularity = excluded.median_popularity, loaded_at = excluded.loaded_at, run_id = excluded.run_id,
    asked_for = excluded.asked_for
returning lines, duplicate_lines, median_popularity
