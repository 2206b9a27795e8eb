-- Run by the alerts' sensor, before a message: what a destination whose next attempt is due has not been told.
select t.event, a.alert_id, a.kind, a.place, a.name, a.severity, a.says, a.expected, a.figures, a.link, a.began_at,
    a.ended_at, a.ended_how, coalesce(d.last_delivered_at, d.since) as told_before
from pipeline.alert_destinations d
cross join pipeline.alerts_to_tell(d.destination, :least_severity, :moment) t
join pipeline.alerts a using (alert_id)
where d.destination = :destination and d.next_attempt_at <= :moment
order by t.event = 'recovered', t.event = 'came_and_went', a.severity, a.alert_id
