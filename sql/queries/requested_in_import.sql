-- Run after request_named_films: how far the requests for an import's films are; what TMDB does not have, or is adult, is told.
select case when q.served_at is null then 'waiting' else q.outcome end as outcome, count(*) as films
from pipeline.requested_ids q
where q.tmdb_id in (
    select n.film_id from staged_names s join pipeline.named_films n using (name)
    where not exists (select from catalog.movies m where m.tmdb_id = n.film_id)
)
group by 1 order by 2 desc, 1
