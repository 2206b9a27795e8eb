-- Run when a batch's file is at the service, before the batch is asked for.
update pipeline.embedding_batches set input_file_id = :input_file_id where bulk_id = :bulk_id
