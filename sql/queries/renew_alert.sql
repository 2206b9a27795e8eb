-- Run by the alerts' sensor when something that is broken was looked at again: the newest figures, the worst severity.
update pipeline.alerts
set severity = case when 'ERROR' in (severity, :severity) then 'ERROR' else 'WARN' end,
    says = :says, expected = :expected, figures = cast(:figures as jsonb), evidence = :evidence, link = :link
where alert_id = :alert_id
