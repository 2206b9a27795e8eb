-- Run by movie_embeddings first: reservations that killed runs left behind count for their day only.
delete from pipeline.embedding_reservations r
where r.reserved_at < cast(:moment as timestamptz) - interval '3 days'
  and not exists (select from pipeline.embedding_batches b where b.reservation_id = r.reservation_id and b.ended_at is null)
