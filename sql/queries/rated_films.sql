-- Run by rating_aggregates: votes of each film and the groups it belongs to.
select m.tmdb_id, m.genres, m.release_year, m.original_language, m.countries, m.collection_id, s.vote_average, s.vote_count
from catalog.movies m join catalog.movie_stats s using (tmdb_id)
order by m.tmdb_id
