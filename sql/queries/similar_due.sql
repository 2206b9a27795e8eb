-- Run by similar_movies: films whose list of nearest films is to be made.
select tmdb_id, is_changed from pipeline.similar_due()
