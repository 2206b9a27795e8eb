-- Run by tmdb_discoveries where votes do not matter, or no film is listed: the lists reject no id any more.
with lifted as (
    delete from pipeline.discovered
)
update pipeline.movie_ids set unlisted_at = null where unlisted_at is not null
