-- Run by the alerts' sensor, before it looks around: what was broken when it last looked.
select alert_id, kind, place, name, evidence from pipeline.alerts where ended_at is null
