-- Run by tmdb_discoveries once the listed films are in incoming_discoveries.
select * from pipeline.apply_discoveries(:day, :min_votes, :moment, :run_id, :is_walk)
