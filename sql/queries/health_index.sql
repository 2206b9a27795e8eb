-- Run by health: the vectors that searches see, and whether their index is there and whole.
select
    (select count(*) from catalog.movie_vectors)::integer as vectors,
    s.set_id,
    x.indexrelid is not null as has_index,
    coalesce(x.indisvalid, false) as is_valid
from (values (1)) one (row)
left join pipeline.embedding_sets s on s.is_active
left join pg_class c on c.relname = 'movie_vectors_' || s.set_id || '_nearest' and c.relnamespace = 'catalog'::regnamespace
left join pg_index x on x.indexrelid = c.oid
