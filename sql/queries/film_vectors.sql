-- Run by recommendation_quality: vectors of the active set for some films, as pgvector sends them in binary.
select v.tmdb_id, vector_send(v.embedding::vector) as embedding
from catalog.movie_vectors v where v.tmdb_id = any (:films) order by v.tmdb_id
