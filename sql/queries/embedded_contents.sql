-- Run when a batch of embeddings is finished: how many it has, and a hash that moves when one of them does.
select
    count(*)::integer as films,
    md5(coalesce(string_agg(e.tmdb_id || ':' || e.text_hash, ',' order by e.tmdb_id), '')) as content
from pipeline.embeddings e join catalog.movies m using (tmdb_id)
where e.set_id = :set_id and e.batch = :batch
