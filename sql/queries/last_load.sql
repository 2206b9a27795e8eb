-- Run by tmdb_export's checks: the export that was loaded last, and the day that was asked for.
select export_date, coalesce(asked_for, export_date) as asked_for, lines, rejected_lines, newer_is_unusable
from pipeline.exports
order by loaded_at desc, export_date desc
limit 1
