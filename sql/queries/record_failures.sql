-- Run by movie_details for ids without a usable answer: the next attempt is 2, 4, 8 … hours away, a week at most.
with failed as (
    select * from unnest(
        cast(:tmdb_ids as bigint[]), cast(:reasons as text[]), cast(:samples as text[])
    ) as f (tmdb_id, reason, sample)
), marked as (
    update pipeline.movie_ids i
    set attempts = i.attempts + 1,
        next_attempt_at = :moment + least(interval '7 days', interval '1 hour' * 2 ^ least(i.attempts + 1, 10)),
        last_error = f.reason
    from failed f where f.tmdb_id = i.tmdb_id
)
insert into pipeline.rejects (stage, tmdb_id, reason, sample, run_id, rejected_at)
select 'movie_details', tmdb_id, reason, left(sample, 500), :run_id, :moment from failed
