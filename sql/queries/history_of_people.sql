-- Run by recommendation_model, recommendations and recommendation_quality, for the people after one by name, or for those
-- that are listed: what each saw, by time, in the binary form of arrays (core.binary_arrays); no rating is NaN.
select s.person,
    array_send(array_agg(s.tmdb_id order by s.seen_at nulls first, s.tmdb_id)) as films,
    array_send(array_agg(coalesce(s.rating, 'NaN') order by s.seen_at nulls first, s.tmdb_id)) as ratings,
    array_send(array_agg((s.seen_at is not null)::integer::bigint order by s.seen_at nulls first, s.tmdb_id)) as dated
from catalog.seen_films s
where s.person > :after and (cast(:people as text[]) is null or s.person = any (:people))
group by s.person
order by s.person
limit :count
