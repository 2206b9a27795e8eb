-- Run by movie_ids in its transaction: how many ids pass the export's rules now (whatever TMDB's lists say of their
-- votes), and what share did before under the same rules.
with today as (
    update pipeline.exports
    set min_popularity = :min_popularity,
        kept_by = :kept_by,
        kept = (select count(*) from pipeline.movie_ids
                where gone_since is null and (export_reason is null or not pipeline.is_export_rule(export_reason)))
    where export_date = :day
    returning kept, lines
)
select
    kept,
    lines,
    (select percentile_cont(0.5) within group (order by e.kept::double precision / e.lines)
     from (select * from pipeline.exports where export_date < :day and kept_by = :kept_by and lines > 0
           order by export_date desc limit 14) e) as usual_share
from today
