-- Run by movie_embeddings' checks: batches with vectors of another width, or without a usable length.
select
    e.batch,
    count(*) filter (where e.dimensions <> s.dimensions)::integer as wrong_width,
    count(*) filter (where e.length not between 0.99 and 1.01)::integer as wrong_length,
    min(e.tmdb_id) as example
from pipeline.embeddings e join pipeline.embedding_sets s using (set_id)
where e.set_id = :set_id
  and (e.dimensions <> s.dimensions or e.length not between 0.99 and 1.01)
group by e.batch
order by e.batch
