-- Run by the alerts' sensor when something broke.
insert into pipeline.alerts
    (kind, place, name, severity, says, expected, figures, evidence, link, began_at, noticed_at)
values (:kind, :place, :name, :severity, :says, :expected, cast(:figures as jsonb), :evidence, :link,
    least(cast(:began_at as timestamptz), :moment), :moment)
