-- Run by `movie-assets alert list` and after each tick: the destinations, and how much each has not been told.
select d.destination, d.failures, d.failing_since, d.last_error, d.last_delivered_at, d.next_attempt_at,
    (select count(*) from pipeline.alerts_to_tell(d.destination, :least_severity, :moment)) as untold
from pipeline.alert_destinations d
order by d.destination
