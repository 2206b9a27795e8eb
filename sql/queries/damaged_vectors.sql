-- Run by movie_embeddings' checks: batches with vectors of another width, or without a usable length.
select
    e.batch,
    count(*) filter (where vector_dims(e.embedding) <> s.dimensions)::integer as wrong_width,
    count(*) filter (where vector_norm(e.embedding) not between 0.99 and 1.01)::integer as wrong_length,
    min(e.tmdb_id) as example
from pipeline.embeddings e join pipeline.embedding_sets s using (set_id)
where e.set_id = :set_id
  and (vector_dims(e.embedding) <> s.dimensions or vector_norm(e.embedding) not between 0.99 and 1.01)
group by e.batch
order by e.batch
