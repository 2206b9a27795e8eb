-- Run by movie_vectors' check: the active set's index.
select x.indisvalid as is_valid, pg_relation_size(x.indexrelid) as bytes
from pg_index x
join pg_class c on c.oid = x.indexrelid
join pg_namespace n on n.oid = c.relnamespace
join pipeline.embedding_sets s on s.is_active
where n.nspname = 'catalog' and c.relname = 'movie_vectors_' || s.set_id || '_nearest'
