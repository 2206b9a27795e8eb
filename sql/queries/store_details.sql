-- Run by movie_details after a chunk was copied into incoming_films.
select * from pipeline.store_details(:moment, :judge)
