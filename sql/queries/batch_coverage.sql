-- Run by movie_details' coverage check: batches with films that were never fetched, whose
-- last attempt failed, or whose facts are missing.
select
    i.batch,
    count(*) filter (where i.state = 'candidate')::integer as never_fetched,
    count(*) filter (where i.attempts > 0)::integer as failed,
    count(*) filter (where i.state = 'accepted' and m.tmdb_id is null)::integer as without_facts,
    count(*)::integer as ids
from pipeline.movie_ids i left join catalog.movies m using (tmdb_id)
where i.gone_since is null and i.export_reason is null
group by i.batch
order by i.batch
