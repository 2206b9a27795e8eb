-- Run by reconciliation: the next publication makes the documents of these films again.
delete from pipeline.document_sources where tmdb_id = any (cast(:tmdb_ids as bigint[]))
