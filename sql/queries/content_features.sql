-- Run by recommendation_model and recommendation_quality: what several films of the catalogue have in common, the
-- commonest first, as the ids of the films in the binary form of arrays (core.binary_arrays).
select array_send(array_agg(f.tmdb_id order by f.tmdb_id)) as films
from (
    select m.tmdb_id, 'genre ' || unnest(m.genres) as feature from catalog.movies m
    union select m.tmdb_id, 'keyword ' || unnest(m.keywords) from catalog.movies m
    union select m.tmdb_id, 'person ' || unnest(m.directors || m.leading_cast) from catalog.movies m
    union select m.tmdb_id, 'decade ' || m.release_year / 10 from catalog.movies m where m.release_year is not null
) f
group by f.feature
having count(*) >= :least
order by count(*) desc, f.feature
limit :most
