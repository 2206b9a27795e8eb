-- Run by movie_embeddings: batches of a service that nobody collected to the end, of whichever set.
select b.bulk_id, b.token, b.set_id, b.run_id, b.reservation_id, b.texts, b.moment, b.input_file_id, b.service_id,
    s.model, s.dimensions
from pipeline.embedding_batches b join pipeline.embedding_sets s using (set_id)
where b.ended_at is null and s.provider = :provider
order by b.bulk_id
