-- Run by health: how each step of the last forty days ended last, and when it last ended well.
with ended as (
    select r.* from pipeline.run_log r
    where r.status <> 'running' and r.started_at > cast(:moment as timestamptz) - interval '40 days'
), well as (
    select e.step, max(e.ended_at) as succeeded_at from ended e where e.status = 'succeeded' group by e.step
)
select distinct on (e.step) e.step, e.status, e.reason, e.run_id, e.started_at, w.succeeded_at
from ended e left join well w using (step)
order by e.step, e.started_at desc
