-- Run by movie_embeddings' check: films whose text, hashed again here, is not the one that was embedded.
select
    pipeline.batch_of(m.tmdb_id) as batch,
    count(*)::integer as films,
    min(m.tmdb_id) as example
from catalog.movies m
left join pipeline.embeddings e on e.set_id = :set_id and e.tmdb_id = m.tmdb_id
where e.text_hash is distinct from
    encode(sha256(convert_to(cast(:template as text) || E'\n' || m.embedding_text, 'UTF8')), 'hex')
group by 1
order by 1
