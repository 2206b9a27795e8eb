-- Run by movie-assets search: the nearest films with what a person wants to see of them.
select n.tmdb_id, n.title, n.release_year, n.similarity, m.genres, m.directors, m.overview, s.vote_average, s.vote_count
from catalog.match_movies(cast(:embedding as vector), :threshold, :count, cast(:filters as jsonb)) n
join catalog.movies m using (tmdb_id)
join catalog.movie_stats s using (tmdb_id)
order by n.similarity desc, n.tmdb_id
