-- Run after an import: the films that it names, and what they were taken for.
select distinct n.name_id, n.name, n.film_id, n.matched_by, n.confidence, r.status as review,
    n.film_id is not null and m.tmdb_id is not null as is_in_catalogue
from staged_names s
join pipeline.named_films n using (name)
left join catalog.movies m on m.tmdb_id = n.film_id
left join pipeline.match_reviews r on r.review_id = n.name_id
order by n.name
