-- Run by movie_vectors' recall check: the ten nearest by looking at every vector ("+ 0" keeps the index out).
select tmdb_id, 1 - (embedding <=> cast(cast(:embedding as vector) as halfvec)) as similarity
from catalog.movie_vectors order by (embedding <=> cast(cast(:embedding as vector) as halfvec)) + 0 limit 10
