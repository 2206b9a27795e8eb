-- Run by movie_details: stored responses to read again, some hundreds at a time.
select j.tmdb_id, r.body
from pipeline.to_judge(:judge, :moment) j
join pipeline.raw_details r using (tmdb_id)
where j.batch = any(:batches)
order by j.batch
limit 500
