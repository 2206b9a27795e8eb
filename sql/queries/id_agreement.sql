-- Run by movie_ids' check: lines of the export without an id, and ids that are alive without a line or a reason for that.
select
    count(*) filter (where i.tmdb_id is null)::integer as lines_without_id,
    count(*) filter (
        where l.tmdb_id is null and i.gone_since is null and w.tmdb_id is null and not pipeline.may_be_unlisted(i, :day)
    )::integer as ids_without_line,
    (count(*) - count(distinct coalesce(i.tmdb_id, l.tmdb_id)))::integer as duplicates
from (select tmdb_id from pipeline.export_lines where export_date = :day) l
full join pipeline.movie_ids i using (tmdb_id)
left join pipeline.ids_without_line w on w.tmdb_id = i.tmdb_id
