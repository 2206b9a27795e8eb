-- Run by health: calls to TMDB within a day, by how they ended.
select c.status, sum(c.calls)::integer as calls
from pipeline.api_calls c
where c.started_at > cast(:moment as timestamptz) - interval '24 hours'
group by c.status
order by calls desc
