-- Run by recommendations for people of whom the model knows too little: lists by catalog.recommend_movies.
insert into catalog.recommendations (person, place, tmdb_id, score, because, because_weights)
select p.person, r.place, r.tmdb_id, r.score,
    array(select (b ->> 'tmdb_id')::bigint from jsonb_array_elements(r.reasons) b),
    array(select (b ->> 'weight')::real from jsonb_array_elements(r.reasons) b)
from unnest(cast(:people as text[])) p (person)
cross join lateral (
    select coalesce(array_agg(s.tmdb_id) filter (where s.rating >= 90), '{}') as loved,
        coalesce(array_agg(s.tmdb_id) filter (where s.rating >= 80 and s.rating < 90 or s.rating is null), '{}') as liked,
        coalesce(array_agg(s.tmdb_id) filter (where s.rating < 50), '{}') as disliked,
        jsonb_build_object('exclude', coalesce(jsonb_agg(s.tmdb_id), '[]')) as seen
    from catalog.seen_films s where s.person = p.person
) h
cross join lateral catalog.recommend_movies(h.loved, h.liked, h.disliked, h.seen, :count) with ordinality
    r (tmdb_id, title, release_year, score, similarity, because, shared_features, reasons, place)
where exists (select from catalog.watch_histories w where w.person = p.person)
