-- Run by tmdb_discoveries in place of a walk: what the last one found.
insert into incoming_discoveries (tmdb_id, vote_count, vote_average, release_date, original_language)
select tmdb_id, vote_count, vote_average, release_date, original_language from pipeline.discovered
