-- Run by movie_embeddings in the transaction that stores what came for texts of a batch.
delete from pipeline.embedding_batch_texts where bulk_id = :bulk_id and text_hash = any(cast(:text_hashes as text[]))
