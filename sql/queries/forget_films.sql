-- Run by tmdb_export when the stand-in serves another world than before: every film is to be fetched again.
update pipeline.movie_ids
set fetched_at = null, judged_by = null, detail_reason = null, failed_rules = null, unlisted_at = null, attempts = 0, next_attempt_at = null, last_error = null
