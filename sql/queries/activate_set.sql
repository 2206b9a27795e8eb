-- Run by movie_vectors when a set is ready to be searched, and by movie-assets sets use.
select pipeline.activate_set(:set_id, :hold)
