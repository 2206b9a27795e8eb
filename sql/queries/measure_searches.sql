-- Run by movie_vectors before a set takes over, and by its recall check: searches through the index against all vectors.
select tmdb_id, recall_at_10, milliseconds, exact_ms
from pipeline.measure_searches(:set_id, :samples, cast(:filters as jsonb))
