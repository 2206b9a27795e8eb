-- Run by movie-assets import --request: asks TMDB for the films of an import that the catalogue does not have; those that
-- were asked for before are not asked for again.
insert into pipeline.requested_ids (tmdb_id, requested_by)
select distinct n.film_id, 'movie-assets import'
from staged_names s
join pipeline.named_films n using (name)
where n.film_id is not null and not exists (select from catalog.movies m where m.tmdb_id = n.film_id)
order by n.film_id
on conflict (tmdb_id) do nothing
