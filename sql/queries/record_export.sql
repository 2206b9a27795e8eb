-- Run by tmdb_export once the lines are in incoming_lines: replaces the day's lines and records the load.
with replaced as materialized (
    select
        pipeline.replace_export_lines(:day) as kept,
        (select percentile_disc(0.5) within group (order by popularity) from incoming_lines) as median
)
insert into pipeline.exports as e (
    export_date, source, url, lines, rejected_lines, duplicate_lines, median_popularity, loaded_at, run_id,
    asked_for, unidentified_lines, unreadable_ids, is_accepted, newer_is_unusable
)
select
    :day, :source, :url, kept, :rejected, :lines - kept, median, now(), :run_id,
    :asked, :unidentified, cast(:unreadable_ids as bigint[]), :is_accepted, :newer_is_unusable
from replaced
on conflict (export_date) do update set
    source = excluded.source, url = excluded.url, lines = excluded.lines,
    rejected_lines = excluded.rejected_lines, duplicate_lines = excluded.duplicate_lines,
    median_popularity = excluded.median_popularity, loaded_at = excluded.loaded_at, run_id = excluded.run_id,
    asked_for = excluded.asked_for, newer_is_unusable = excluded.newer_is_unusable,
    unidentified_lines = excluded.unidentified_lines, unreadable_ids = excluded.unreadable_ids,
    is_accepted = excluded.is_accepted, ids_known = null, ids_missing = null, days_since = null, is_usual = null
returning lines, duplicate_lines, median_popularity
