-- Run by movie-assets sets use: a set, the films it covers, and whether its table is there.
select p.*, to_regclass('catalog.movie_vectors_' || p.set_id) is not null as is_searchable
from pipeline.embedding_progress p where p.set_id = :set_id
