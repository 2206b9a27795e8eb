-- name: has_ids
-- Run by movie-assets refresh when the day's export cannot be used, and by movie-assets fetch: whether there are ids of an export.
select exists (select from pipeline.title_ids_as_of where media_type = :media)


-- name: request_ids
-- Run by movie-assets fetch: requests ids, also those that were requested before.
insert into pipeline.requested_titles as q (title_id, keep, requested_by)
select distinct t.title_id, cast(:keep as boolean), :requested_by from unnest(cast(:title_ids as bigint[])) as t (title_id)
on conflict (title_id) do update set
    keep = q.keep or excluded.keep, requested_by = excluded.requested_by, requested_at = excluded.requested_at
