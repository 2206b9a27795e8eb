-- Run by tmdb_discoveries where votes do not matter, or no film is listed: nothing is put aside any more.
with lifted as (
    update pipeline.movie_ids set export_reason = null where export_reason = 'vote_count' returning 1
)
select 0 as listed, 0 as new, 0 as put_aside, count(*)::integer as let_in from lifted
