-- Run when everything that a batch brought is stored, or when it was never made.
update pipeline.embedding_batches
set ended_at = now(), service_status = :service_status, stored = stored + :stored
where bulk_id = :bulk_id
