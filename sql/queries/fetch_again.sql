-- Run by reconciliation, for films whose stored response cannot be read, and by movie-assets fetch: the details of the films
-- count as changed. They are due, and no request is answered from them.
update pipeline.movie_ids set changed_at = :moment
where tmdb_id = any(cast(:tmdb_ids as bigint[]))
