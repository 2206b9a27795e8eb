-- Run when a batch has ended, in the transaction of end_batch: texts that it brought nothing for are due again.
delete from pipeline.embedding_batch_texts where bulk_id = :bulk_id
