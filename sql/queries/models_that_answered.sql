-- Run by the checks of movie_embeddings: the model's name that the service gave with the first vectors of a set, and
-- with those of the last run.
select s.answered_by as begun_by, o.answered_by
from pipeline.embedding_sets s left join pipeline.embedding_outcomes o using (set_id)
where s.set_id = :set_id
