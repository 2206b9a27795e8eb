-- Run by movie_embeddings: films whose text is not the one that was embedded.
select m.tmdb_id, pipeline.batch_of(m.tmdb_id) as batch, m.text_hash, m.embedding_text
from catalog.movies m
left join pipeline.embeddings e on e.set_id = :set_id and e.tmdb_id = m.tmdb_id
where pipeline.batch_of(m.tmdb_id) = any(:batches) and e.text_hash is distinct from m.text_hash
order by batch, m.tmdb_id
