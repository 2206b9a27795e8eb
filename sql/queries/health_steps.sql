-- Run by health: how each step ended last, and whether it was the last time that it ended well.
select distinct on (r.step)
    r.step, r.status, r.reason, r.run_id, r.started_at, r.ended_at,
    (select max(g.ended_at) from pipeline.run_log g where g.step = r.step and g.status = 'succeeded') as succeeded_at
from pipeline.run_log r
where r.status <> 'running'
order by r.step, r.started_at desc
