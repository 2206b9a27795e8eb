-- Run by movie_vectors after the rows are there.
select pipeline.build_vector_index(:set_id) as built
