-- Run by the sensor details_are_due: the films that a run would fetch, and the answers that it would judge again.
select (
    (select count(*) from pipeline.due_at(:moment)) + (select count(*) from pipeline.to_judge(:judge))
)::integer as work
