-- Run by movie_vectors after the rows are there.
select pipeline.build_vector_index(cast(:set_id as smallint)) as built
