-- Run by reconciliation: the next publication makes the lists of these films again.
update pipeline.similar_lists set is_outdated = true where tmdb_id = any (cast(:tmdb_ids as bigint[]))
