-- Run by movie_ids each day: what TMDB's terms do not let us keep any longer.
select pipeline.purge_expired(:moment) as films
