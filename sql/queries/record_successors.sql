-- Run by movie_details: which id TMDB names for the IMDb id of a film that is gone; null when it names none.
update pipeline.movie_ids i
set successor_id = s.successor_id, successor_sought_at = :moment
from unnest(cast(:tmdb_ids as bigint[]), cast(:successor_ids as bigint[])) as s (tmdb_id, successor_id)
where s.tmdb_id = i.tmdb_id
