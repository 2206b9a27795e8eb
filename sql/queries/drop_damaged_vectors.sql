-- Run by movie_embeddings first: vectors of its batches that cannot be searched are made again.
delete from pipeline.embeddings e using pipeline.embedding_sets s
where s.set_id = :set_id and e.set_id = s.set_id and e.batch = any(:batches)
  and (e.dimensions <> s.dimensions or e.length not between 0.99 and 1.01)
