-- Run by movie_details: what is due in some batches, for some reasons (none named: all), the most urgent first when
-- there is room for so many only, and then batch by batch. A person who launches a run does not have to wait until
-- the next attempt at a failed film is due. Films that grow stale before the next day is read (08:30 UTC) are fetched
-- with those that are: the day has one run instead of one whenever some films' hour has come. With
-- force, every accepted film too, if it was last fetched before the run that a repeated run goes on with.
with due as (
    select w.tmdb_id, w.batch, w.reason, w.priority, w.fetched_at
    from pipeline.wanted_at(:moment) w
    where not w.parked or :by_hand
    union all
    select w.tmdb_id, w.batch, w.reason, w.priority, w.fetched_at
    from pipeline.wanted_at(
        date_bin('1 day', cast(:moment as timestamptz), timestamptz '2000-01-01 08:30+00') + interval '1 day') w
    where w.reason = 'stale' and cast(:room as bigint) is null
      and not exists (select from pipeline.wanted_at(:moment) now where now.tmdb_id = w.tmdb_id)
), chosen as (
    select d.* from due d
    where d.batch = any(:batches) and (cardinality(cast(:reasons as text[])) = 0 or d.reason = any(:reasons))
), forced as (
    select i.tmdb_id, i.batch, 'forced', 8::smallint, i.fetched_at
    from pipeline.movie_ids i
    where cast(:force as boolean) and i.state = 'accepted' and i.batch = any(:batches)
      and i.fetched_at < coalesce(cast(:forced_since as timestamptz), 'infinity')
      and not exists (select from chosen c where c.tmdb_id = i.tmdb_id)
), wanted as (
    select a.*, row_number() over (order by a.priority, a.fetched_at nulls first, a.tmdb_id) as place
    from (select * from chosen union all select * from forced) a
)
select tmdb_id, batch, reason, place > cast(:room as bigint) as is_put_off
from wanted
order by batch, priority, tmdb_id
