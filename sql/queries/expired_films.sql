-- Run by movie_details' check on TMDB's terms: answers that are older than six months, and those that soon will be.
select
    count(*) filter (where fetched_at <= cast(:moment as timestamptz) - interval '180 days')::integer as expired,
    count(*) filter (where fetched_at <= cast(:moment as timestamptz) - interval '170 days')::integer as soon,
    min(fetched_at) as oldest
from pipeline.raw_details
