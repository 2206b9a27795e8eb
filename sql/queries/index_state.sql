-- Run by movie_vectors' check: the active set's index, its size for each vector now and when it was built, and the dead
-- rows of its table.
select
    x.indisvalid as is_valid,
    pg_relation_size(x.indexrelid) as bytes,
    pg_relation_size(x.indexrelid)::double precision / greatest(1, (select count(*) from catalog.movie_vectors))
        / nullif(s.bytes_per_vector, 0) as growth,
    coalesce(t.n_dead_tup, 0)::integer as dead_rows
from pipeline.embedding_sets s
join pg_namespace n on n.nspname = 'catalog'
join pg_class c on c.relnamespace = n.oid and c.relname = 'movie_vectors_' || s.set_id || '_nearest'
join pg_index x on x.indexrelid = c.oid
left join pg_stat_user_tables t on t.relid = x.indrelid
where s.is_active
