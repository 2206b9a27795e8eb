-- Applied after the migrations whenever it changes: the events of alerts that a destination has not received.

-- There is an event when something broke ('broken'), when a warning became an error ('worse'), and when it ended
-- ('recovered'). An alert that ended before a destination received it is one event ('came_and_went'), or none when it ended
-- while muted or began before the destination was added. An alert that ended more than 30 days ago is no event any more, so
-- that the cost of this query does not grow with the history.
create or replace function pipeline.alerts_to_tell(wanted_destination text, least_severity text, moment timestamptz)
returns table (event text, alert_id bigint)
language sql stable
as $$
    select e.event, a.alert_id
    from pipeline.alert_destinations d
    cross join pipeline.alerts a
    cross join lateral (
        select coalesce(bool_or(t.event in ('broken', 'worse')), false) as is_delivered,
            coalesce(bool_or(t.severity = 'ERROR'), false) as is_delivered_as_error,
            coalesce(bool_or(t.event in ('recovered', 'came_and_went')), false) as is_closed
        from pipeline.alert_deliveries t
        where t.destination = d.destination and t.alert_id = a.alert_id
    ) delivered
    cross join lateral (
        select case
            when delivered.is_closed then null
            when a.ended_at is not null and delivered.is_delivered then 'recovered'
            when a.severity = 'WARN' and least_severity = 'ERROR' then null
            when a.ended_at is not null then
                case when a.ended_how = 'recovered' and not a.is_hushed and a.noticed_at >= d.since
                    then 'came_and_went' end
            when exists (
                select from pipeline.alert_mutes m where m.name in (a.name, nullif(a.place, '')) and m.until > moment
            ) then null
            when not delivered.is_delivered then 'broken'
            when a.severity = 'ERROR' and not delivered.is_delivered_as_error then 'worse'
        end as event
    ) e
    where d.destination = wanted_destination and e.event is not null
        and (a.ended_at is null or a.ended_at > moment - interval '30 days')
$$;
