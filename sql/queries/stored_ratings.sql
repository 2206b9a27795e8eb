-- Run by rating_aggregates: what sources say of the films in the catalogue.
select r.tmdb_id, r.source, r.value, r.votes
from catalog.rating_sources r
where exists (select from catalog.movies m where m.tmdb_id = r.tmdb_id)
order by r.tmdb_id, r.source
