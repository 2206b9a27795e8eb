-- Run by health for its picture: calls to TMDB by day and kind of answer, for two weeks.
select
    (c.started_at at time zone 'UTC')::date as day,
    sum(c.calls) filter (where c.status = '200')::integer as answered,
    sum(c.calls) filter (where c.status = '404')::integer as gone,
    sum(c.calls) filter (where c.status = '429')::integer as paused,
    sum(c.calls) filter (where c.status not in ('200', '404', '429'))::integer as failed
from pipeline.api_calls c
where c.started_at > cast(:moment as timestamptz) - interval '14 days'
group by 1
order by 1
