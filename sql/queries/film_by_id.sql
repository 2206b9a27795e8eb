-- Run by movie-assets similar when it is given an id.
select tmdb_id, title, release_year, 1.0::double precision as confidence, 'id' as matched_by
from catalog.movies where tmdb_id = :tmdb_id
