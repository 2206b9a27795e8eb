-- Migration: indexes in the order of catalog.standings, which catalog.recommend_movies reads from its beginning.
create index film_weights_standing on pipeline.film_weights (model_id, popularity desc, tmdb_id);
create index movie_stats_standing on catalog.movie_stats (vote_count desc, tmdb_id);
