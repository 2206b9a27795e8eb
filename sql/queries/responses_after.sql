-- Run by reconciliation: the next stored responses of a batch's accepted films that the parser in use read, by id.
select i.tmdb_id, r.body
from pipeline.movie_ids i
join pipeline.raw_details r using (tmdb_id)
where i.batch = :batch and i.tmdb_id > :after and i.state = 'accepted' and i.judged_by = :judge
order by i.tmdb_id limit :films
