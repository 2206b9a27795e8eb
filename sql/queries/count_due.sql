-- Run by the sensor details_are_due: the films that a run would fetch within the day's limit, the stored responses that it
-- would read again (or evaluate again, all of them, when other profiles are in use), and the lowest id of all these.
with due as (
    select count(*) as films, min(tmdb_id) as first_id from pipeline.due_at(:moment)
), stored as (
    select count(*) as answers, min(tmdb_id) as first_id from (
        select tmdb_id from pipeline.to_judge(:judge, :moment)
        union
        select tmdb_id from pipeline.rule_inputs where exists (select from pipeline.evaluation where rules <> :rules)
    ) s
), day as (
    select case when :daily_films > 0 then greatest(0, :daily_films - (
        select count(*) from pipeline.raw_details where fetched_at >= date_trunc('day', cast(:moment as timestamptz))
    )) end as films
)
select
    (least(due.films, day.films) + stored.answers)::integer as work,
    least(case when day.films is distinct from 0 then due.first_id end, stored.first_id) as first_id
from due, stored, day
