-- Run by movie_vectors: the searchable rows of a set, brought in line.
select * from pipeline.refresh_vectors(:set_id)
