-- Run by health: ids whose last attempt had no usable answer, by reason.
select
    coalesce(i.last_error, 'unknown') as reason,
    count(*)::integer as ids,
    count(*) filter (where i.attempts >= 5)::integer as stubborn,
    (array_agg(i.tmdb_id order by i.attempts desc, i.tmdb_id))[1:5] as examples,
    (select count(*) from pipeline.movie_ids a where a.gone_since is null and a.export_reason is null)::integer as of
from pipeline.movie_ids i
where i.gone_since is null and i.attempts > 0
group by 1
order by ids desc
