-- Run by movie_embeddings with each answer, in its transaction: what was paid for it.
insert into pipeline.embedding_costs (set_id, run_id, texts, tokens, dollars, spent_at, is_bulk, text_bytes)
values (:set_id, :run_id, :texts, :tokens, :dollars, :moment, :is_bulk, :text_bytes)
