-- Run by the alerts' sensor: the destinations that the settings name, and no other.
with removed as (
    delete from pipeline.alert_destinations where destination <> all (cast(:destinations as text[]))
)
insert into pipeline.alert_destinations (destination, since, next_attempt_at)
select n, :moment, :moment from unnest(cast(:destinations as text[])) n
on conflict do nothing
