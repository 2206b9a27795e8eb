-- Run by reconciliation: has answers judged again by the next run of movie_details, without a call; their facts are
-- rewritten even where their hash says that they are the same.
with again as (
    update pipeline.movie_ids set judged_by = null where tmdb_id = any(cast(:tmdb_ids as bigint[]))
)
update catalog.movies set facts_hash = null where tmdb_id = any(cast(:tmdb_ids as bigint[]))
