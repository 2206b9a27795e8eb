-- Run by health for each of its findings.
insert into pipeline.health_findings
    (name, severity, message, found, examples, next_step, is_service, run_id, looked_at)
values (:name, :severity, :message, :found, :examples, :next_step, :is_service, :run_id, :moment)
