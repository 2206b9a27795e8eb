-- Run by movie_vectors' recall check: the ten nearest as applications get them.
select tmdb_id, similarity from catalog.match_movies(cast(:embedding as vector), -1, 10)
