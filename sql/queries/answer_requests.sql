-- Run by movie_details after a chunk was stored: what became of the ids that applications asked for.
update pipeline.requested_ids q
set served_at = :moment, outcome = i.state || coalesce(': ' || i.reason, '')
from pipeline.movie_ids i
where i.tmdb_id = q.tmdb_id and q.served_at is null and i.attempts = 0 and q.tmdb_id = any(:tmdb_ids)
