-- Run by movie_details after a chunk was stored: what became of the ids that applications asked for. A film without a
-- usable response is asked for again later; the third failure (six hours after the first) is an outcome, which is replaced
-- when a later attempt succeeds.
update pipeline.requested_ids q
set served_at = :moment,
    outcome = case when i.attempts > 0 then 'failed: ' || i.last_error else i.state || coalesce(': ' || i.reason, '') end
from pipeline.movie_ids i
where i.tmdb_id = q.tmdb_id and q.tmdb_id = any(:tmdb_ids) and (i.attempts = 0 or i.attempts >= 3)
  and (q.served_at is null or q.outcome like 'failed: %')
