-- Run by reconciliation: films whose stored answer cannot be read count as changed, and are due.
update pipeline.movie_ids set changed_at = :moment
where tmdb_id = any(cast(:tmdb_ids as bigint[]))
