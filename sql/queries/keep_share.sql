-- Run by movie_ids in its transaction: how many ids pass the export's rules now, and what
-- share did before under the same threshold.
with today as (
    update pipeline.exports
    set min_popularity = :min_popularity,
        kept = (select count(*) from pipeline.movie_ids where gone_since is null and export_reason is null)
    where export_date = :day
    returning kept, lines
)
select
    kept,
    lines,
    (select percentile_cont(0.5) within group (order by e.kept::double precision / e.lines)
     from (select * from pipeline.exports where export_date < :day and min_popularity = :min_popularity and lines > 0
           order by export_date desc limit 14) e) as usual_share
from today
