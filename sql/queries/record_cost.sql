-- Run by movie_embeddings with each chunk, in its transaction: what was paid for it.
insert into pipeline.embedding_costs (set_id, run_id, texts, tokens, dollars, spent_at)
values (:set_id, :run_id, :texts, :tokens, :dollars, :moment)
