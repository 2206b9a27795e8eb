-- Run by movie_details: stored answers to judge again, some hundreds at a time.
select j.tmdb_id, r.body, i.kept_on_request as is_kept
from pipeline.to_judge(:judge) j
join pipeline.raw_details r using (tmdb_id)
join pipeline.movie_ids i using (tmdb_id)
where j.batch = any(:batches)
order by j.batch
limit 500
