-- Run with intend_batch, in its transaction: from now on no run sends these texts.
insert into pipeline.embedding_batch_texts (bulk_id, text_hash)
select :bulk_id, unnest(cast(:text_hashes as text[]))
