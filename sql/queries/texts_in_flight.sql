-- Run by movie_embeddings: texts of a set that are in batches at the service.
select t.text_hash
from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
where b.set_id = :set_id
