-- Run by recommendation_model and recommendations: the films that can be recommended.
select array_send(coalesce(array_agg(m.tmdb_id order by m.tmdb_id), '{}')) as films from catalog.movies m
