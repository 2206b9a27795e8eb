-- Run by movie-assets review: one review, open or decided; whether a film could be it is asked by its id.
select r.review_id, r.name, r.candidates, r.status, r.decision, m.title, count(distinct e.person) as people,
    exists (select from jsonb_array_elements(r.candidates) c where (c ->> 'tmdb_id')::bigint = cast(:film as bigint))
        or exists (select from catalog.movies f where f.tmdb_id = cast(:film as bigint))
        or exists (select from pipeline.movie_ids i where i.tmdb_id = cast(:film as bigint)) as is_known
from pipeline.match_reviews r
left join catalog.movies m on m.tmdb_id = r.decision
left join pipeline.watch_entries e on e.name_id = r.review_id
where r.review_id = :review_id
group by r.review_id, m.title
