-- Run by health's checks: the findings of its last run.
select name, severity, message, found, examples, next_step, is_service, run_id from pipeline.health_findings order by name, not is_service
