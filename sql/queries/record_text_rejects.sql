-- Run by movie_embeddings with an answer that leaves texts without a vector, in its transaction.
insert into pipeline.rejects (stage, tmdb_id, reason, sample, run_id, rejected_at)
select 'movie_embeddings', f.tmdb_id, f.reason, left(f.sample, 500), :run_id, :moment
from unnest(cast(:tmdb_ids as bigint[]), cast(:reasons as text[]), cast(:samples as text[])) as f (tmdb_id, reason, sample)
