-- Run when the service told of a batch.
update pipeline.embedding_batches
set service_id = :service_id, service_status = :service_status, seen_at = now()
where bulk_id = :bulk_id
