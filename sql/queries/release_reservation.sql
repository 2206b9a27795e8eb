-- Run when a request's cost is recorded, or when nothing was charged for it.
delete from pipeline.embedding_reservations where reservation_id = :reservation_id
