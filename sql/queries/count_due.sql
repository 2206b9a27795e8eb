-- Run by the sensor details_are_due: the films that a run would fetch within the day's limit, and the answers that it
-- would judge again.
select (
    least((select count(*) from pipeline.due_at(:moment)), case when :daily_films > 0 then greatest(0, :daily_films - (
        select count(*) from pipeline.raw_details where fetched_at >= date_trunc('day', cast(:moment as timestamptz))
    )) end)
    + (select count(*) from pipeline.to_judge(:judge))
)::integer as work
