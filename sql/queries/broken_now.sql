-- Run by `movie-assets alert list`: what is broken now, until when it is muted, and who has been told.
select a.kind, a.place, a.name, a.severity, a.says, a.began_at,
    (select max(m.until) from pipeline.alert_mutes m
     where m.name in (a.name, nullif(a.place, '')) and m.until > :moment) as muted_until,
    array(select d.destination from pipeline.alert_deliveries d where d.alert_id = a.alert_id order by 1) as told
from pipeline.alerts a
where a.ended_at is null
order by a.severity, a.began_at, a.alert_id
