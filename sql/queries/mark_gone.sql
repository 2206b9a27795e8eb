-- Run by movie_details for ids that TMDB answers with 404: a tombstone, and out of the catalogue.
with gone as (
    update pipeline.movie_ids
    set gone_since = cast(:moment as timestamptz)::date, gone_reason = 'not_found', changed_at = null, unlisted_at = null,
        attempts = 0, next_attempt_at = null, last_error = null
    where tmdb_id = any(:tmdb_ids)
    returning tmdb_id
)
delete from catalog.movies m using gone g where g.tmdb_id = m.tmdb_id
