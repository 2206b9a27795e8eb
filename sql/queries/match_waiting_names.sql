-- Run by watch_histories: finds films for the names that wait; tells whose histories that moves.
select unnest(pipeline.match_named_films(null)) as tmdb_id
