-- Run with the cost of a part of a batch, in its transaction: so much of what was reserved is spent now.
update pipeline.embedding_reservations
set dollars = greatest(0, dollars - cast(:dollars as numeric))
where reservation_id = :reservation_id
