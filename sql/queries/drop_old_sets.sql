-- Run by movie_vectors: out with the vectors of sets that were neither searched nor built on for the days that sets are kept.
select name from pipeline.drop_old_sets(cast(:moment as timestamptz) - make_interval(days => :days), :set_id) as d (name)
