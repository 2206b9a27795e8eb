-- Applied after the migrations whenever it changes: what a destination is still to be told.

-- Told on edges only: that something broke, that a warning became an error, that it is over. What came and went before
-- the destination could be told is one entry, and none when it was muted or is older than the destination. What ended
-- 30 days ago is told to nobody any more, so that a look costs the same however long the history.
create or replace function pipeline.alerts_to_tell(wanted_destination text, least_severity text, moment timestamptz)
returns table (event text, alert_id bigint)
language sql stable
as $$
    select e.event, a.alert_id
    from pipeline.alert_destinations d
    cross join pipeline.alerts a
    cross join lateral (
        select coalesce(bool_or(t.event in ('broken', 'worse')), false) as is_told,
            coalesce(bool_or(t.severity = 'ERROR'), false) as is_told_as_error,
            coalesce(bool_or(t.event in ('recovered', 'came_and_went')), false) as is_closed
        from pipeline.alert_deliveries t
        where t.destination = d.destination and t.alert_id = a.alert_id
    ) told
    cross join lateral (
        select case
            when told.is_closed then null
            when a.ended_at is not null and told.is_told then 'recovered'
            when a.severity = 'WARN' and least_severity = 'ERROR' then null
            when a.ended_at is not null then
                case when a.ended_how = 'recovered' and not a.is_hushed and a.noticed_at >= d.since
                    then 'came_and_went' end
            when exists (
                select from pipeline.alert_mutes m where m.name in (a.name, nullif(a.place, '')) and m.until > moment
            ) then null
            when not told.is_told then 'broken'
            when a.severity = 'ERROR' and not told.is_told_as_error then 'worse'
        end as event
    ) e
    where d.destination = wanted_destination and e.event is not null
        and (a.ended_at is null or a.ended_at > moment - interval '30 days')
$$;
