-- Run by the alerts' sensor, before it looks around: what was broken when it last looked.
select alert_id, kind, place, name, evidence, array(select jsonb_object_keys(figures)) as figures
from pipeline.alerts where ended_at is null
