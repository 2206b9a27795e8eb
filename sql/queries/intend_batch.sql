-- Run before anything of a batch is sent to the service: who finds it after a kill knows what to ask for.
insert into pipeline.embedding_batches (token, set_id, run_id, reservation_id, texts, moment)
values (:token, :set_id, :run_id, :reservation_id, :texts, :moment)
returning bulk_id
