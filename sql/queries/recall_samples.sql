-- Run by movie_vectors' recall check: some vectors to search for, the same ones while the catalogue stands.
select tmdb_id, embedding::vector as embedding
from catalog.movie_vectors order by md5(tmdb_id::text) limit :samples
