-- Run by movie_vectors' check: films without a vector, vectors without a film, vectors of an older text.
select
    count(*) filter (where v.tmdb_id is null)::integer as films_without_vector,
    count(*) filter (where m.tmdb_id is null)::integer as vectors_without_film,
    count(*) filter (where m.text_hash <> v.text_hash)::integer as vectors_of_older_text,
    count(*)::integer as either
from catalog.movies m full join catalog.movie_vectors v using (tmdb_id)
