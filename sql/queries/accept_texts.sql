-- Run by movie_embeddings with an answer: texts that have a vector now are no longer refused.
delete from pipeline.refused_texts where set_id = :set_id and text_hash = any(cast(:text_hashes as text[]))
