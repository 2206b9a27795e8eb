-- Run by the alerts' sensor after a message arrived.
with arrived as (
    insert into pipeline.alert_deliveries (destination, alert_id, event, severity, delivered_at)
    select :destination, t.alert_id, t.event, t.severity, :moment
    from unnest(cast(:alert_ids as bigint[]), cast(:events as text[]), cast(:severities as text[]))
        t (alert_id, event, severity)
    on conflict do nothing
)
update pipeline.alert_destinations
set failures = 0, failing_since = null, last_error = null, next_attempt_at = :moment, last_delivered_at = :moment
where destination = :destination
