-- Run by movie_ids: brings the ids' states in line with a loaded export.
select * from pipeline.apply_export(:day, :min_popularity)
