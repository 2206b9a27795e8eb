-- Run by movie-assets similar: the films nearest to a film, with what a person wants to see of them.
select n.tmdb_id, n.title, n.release_year, n.similarity, n.shared_features, m.genres, m.directors, m.overview, s.vote_average, s.vote_count
from catalog.similar_movies(:tmdb_id, :count, cast(:filters as jsonb)) n
join catalog.movies m using (tmdb_id)
left join catalog.movie_stats s using (tmdb_id)
order by n.similarity desc, n.tmdb_id
