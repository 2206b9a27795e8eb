-- Run by search_quality: vectors for its pictures.
select genres, embedding from pipeline.sample_vectors(:set_id, :samples)
