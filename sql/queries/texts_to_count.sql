-- Run by movie-assets cost: the texts that are due in the set of today's settings, or those of all films.
select m.tmdb_id, pipeline.batch_of(m.tmdb_id) as batch, m.text_hash, m.embedding_text
from catalog.movies m
left join pipeline.embeddings e on e.set_id = :set_id and e.tmdb_id = m.tmdb_id
where :all_films
   or (e.text_hash is distinct from m.text_hash
       and not exists (
           select from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
           where b.set_id = :set_id and t.text_hash = m.text_hash))
order by m.tmdb_id
