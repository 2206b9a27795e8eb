-- Run by health: what waits to be fetched, by reason, and when details were last fetched without a failure.
select
    d.reason,
    count(*)::integer as films,
    (array_agg(d.tmdb_id order by d.tmdb_id))[1:5] as examples,
    (select count(*) from catalog.movies)::integer as movies,
    (select max(r.ended_at) from pipeline.run_log r where r.step = 'movie_details' and r.status = 'succeeded') as worked_at
from pipeline.due_at(:moment) d
group by d.reason
order by min(d.priority)
