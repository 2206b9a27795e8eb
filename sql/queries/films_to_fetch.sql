-- Run by movie_details: what is due in some batches, for some reasons (none named: all), the most urgent first when
-- there is room for so many only, and then batch by batch. A person who launches a run does not have to wait until
-- the next attempt at a failed film is due.
with wanted as (
    select w.tmdb_id, w.batch, w.reason, w.priority, w.is_kept,
        row_number() over (order by w.priority, w.fetched_at nulls first, w.tmdb_id) as place
    from pipeline.wanted_at(:moment) w
    where w.batch = any(:batches) and (not w.parked or :by_hand)
      and (cardinality(cast(:reasons as text[])) = 0 or w.reason = any(:reasons))
)
select tmdb_id, batch, reason, is_kept, place > cast(:room as bigint) as is_put_off
from wanted
order by batch, priority, tmdb_id
