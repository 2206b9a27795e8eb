-- Run by movie-assets similar: the films nearest to a film, itself left out.
select n.tmdb_id, n.title, n.release_year, n.similarity, m.genres, m.directors, m.overview, s.vote_average, s.vote_count
from catalog.movie_vectors v
cross join lateral catalog.match_movies(v.embedding::vector, -1, :count + 1) n
join catalog.movies m on m.tmdb_id = n.tmdb_id
join catalog.movie_stats s on s.tmdb_id = n.tmdb_id
where v.tmdb_id = :tmdb_id and n.tmdb_id <> :tmdb_id
order by n.similarity desc, n.tmdb_id
limit :count
