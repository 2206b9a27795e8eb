-- Run by movie_ids: what the export of a day lacks, what is usual, and which ids wait for a later export.
select
    e.url, e.is_accepted, e.unidentified_lines, coalesce(e.is_usual, true) as is_usual,
    coalesce(e.ids_known, 0) as ids_known, coalesce(e.ids_missing, 0) as ids_missing, coalesce(e.days_since, 1) as days_since,
    pipeline.usual_loss(e.export_date) as usual_share,
    (select count(*)::integer from pipeline.movie_ids i where i.missing_since is not null) as held
from pipeline.exports e where e.export_date = :day
