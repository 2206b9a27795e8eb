-- name: has_ids
-- Run by movie-assets refresh when the day's export cannot be used: whether there are ids of an earlier export.
select exists (select from pipeline.ids_as_of)


-- name: request_ids
-- Run by movie-assets fetch: requests ids, also those that were requested before.
insert into pipeline.requested_ids as q (tmdb_id, keep, requested_by)
select distinct t.tmdb_id, cast(:keep as boolean), :requested_by from unnest(cast(:tmdb_ids as bigint[])) as t (tmdb_id)
on conflict (tmdb_id) do update set
    keep = q.keep or excluded.keep, requested_by = excluded.requested_by, requested_at = excluded.requested_at
