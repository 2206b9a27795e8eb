-- Run by tmdb_discoveries each day: what moved of the popularity and votes of accepted films.
select pipeline.record_stats(:day) as films
