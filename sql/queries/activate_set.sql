-- Run by movie_vectors when a set covers the catalogue and is not the active one.
select pipeline.activate_set(cast(:set_id as smallint))
