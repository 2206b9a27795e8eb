"""Jobs, schedules, sensors, the resources of the definitions, and what Dagster's instance needs."""
