-- Run after a file's names were copied in: keeps those that are new.
insert into pipeline.named_films as n (name, title, year, imdb_id, tmdb_id, rivals)
select distinct on (s.name) s.name, s.title, s.year, s.imdb_id, s.tmdb_id, s.rivals
from staged_names s
order by s.name, s.no
on conflict (name) do update set
    imdb_id = coalesce(n.imdb_id, excluded.imdb_id), rivals = greatest(n.rivals, excluded.rivals)
where n.imdb_id is null and excluded.imdb_id is not null or n.rivals < excluded.rivals
