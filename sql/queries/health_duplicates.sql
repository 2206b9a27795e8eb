-- Run by health: films that may be one: of one IMDb id, or of one title, date and runtime.
select 'IMDb id ' || m.imdb_id as identity, array_agg(m.tmdb_id order by m.tmdb_id) as ids
from catalog.movies m where m.imdb_id is not null
group by m.imdb_id having count(*) > 1
union all
select
    '“' || min(m.title) || '” of ' || m.release_date || ', ' || m.runtime_minutes || ' minutes',
    array_agg(m.tmdb_id order by m.tmdb_id)
from catalog.movies m where m.release_date is not null and m.runtime_minutes is not null
group by lower(m.title), lower(m.original_title), m.release_date, m.runtime_minutes
having count(*) > 1 and count(distinct m.imdb_id) < count(*)
order by 1
