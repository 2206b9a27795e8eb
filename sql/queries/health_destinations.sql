-- Run by health: the destinations of alerts that could not be reached when they were last tried.
select destination, failing_since, last_error, failures
from pipeline.alert_destinations
where failing_since is not null
order by failing_since, destination
