-- Run by the alerts' sensor when something recovered, or is no longer there.
update pipeline.alerts a
set ended_at = :moment, ended_how = :how,
    is_hushed = exists (
        select from pipeline.alert_mutes m where m.name in (a.name, nullif(a.place, '')) and m.until > :moment
    )
where alert_id = :alert_id and ended_at is null
