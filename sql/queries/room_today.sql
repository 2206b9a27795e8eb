-- Run by movie_details and its sensor: how many films may still be fetched on the moment's day, null for no limit.
select case when :daily_films > 0 then greatest(0, :daily_films - (
    select count(*) from pipeline.raw_details where fetched_at >= date_trunc('day', cast(:moment as timestamptz))
)) end as films
