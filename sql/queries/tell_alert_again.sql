-- Run by the alerts' sensor when more is broken than was told: it counts as told as a warning, so that it is "worse" again.
with told_once as (
    delete from pipeline.alert_deliveries where alert_id = :alert_id and event = 'worse'
)
update pipeline.alert_deliveries set severity = 'WARN' where alert_id = :alert_id and event = 'broken'
