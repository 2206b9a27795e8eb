-- Run by recommendations for people of whom the model knows too little: lists by catalog.recommend_movies.
insert into catalog.recommendations (person, place, tmdb_id, score, because, because_weights)
select p.person, r.place, r.tmdb_id, r.score,
    array(select (b ->> 'tmdb_id')::bigint from jsonb_array_elements(r.reasons) b),
    array(select (b ->> 'weight')::real from jsonb_array_elements(r.reasons) b)
from unnest(cast(:people as text[])) p (person)
cross join lateral (
    select coalesce(array_agg(s.tmdb_id), '{}') as films, coalesce(array_agg(s.rating), '{}') as ratings
    from catalog.seen_films s where s.person = p.person
) h
cross join lateral catalog.recommend_movies(rated => h.films, ratings => h.ratings, match_count => :count) with ordinality
    r (tmdb_id, title, release_year, score, similarity, because, shared_features, reasons, place)
where exists (select from catalog.watch_histories w where w.person = p.person)
