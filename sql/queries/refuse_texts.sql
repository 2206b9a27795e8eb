-- Run by movie_embeddings with an answer that leaves texts without a vector: they are tried again after 2, 4, 8 …
-- hours, a week at most.
insert into pipeline.refused_texts as r (set_id, text_hash, reason, attempts, next_attempt_at)
select :set_id, f.text_hash, f.reason, 1, cast(:moment as timestamptz) + interval '2 hours'
from unnest(cast(:text_hashes as text[]), cast(:reasons as text[])) as f (text_hash, reason)
on conflict (set_id, text_hash) do update set
    reason = excluded.reason,
    attempts = least(r.attempts + 1, 1000),
    next_attempt_at = cast(:moment as timestamptz) + least(interval '1 hour' * 2 ^ least(r.attempts + 1, 10), interval '7 days')
