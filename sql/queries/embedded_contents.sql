-- Run when batches of embeddings are finished: how many they have, a hash that moves when one of them does, and how many
-- the whole set has.
select b.batch, c.films, c.content, a.total
from unnest(cast(:batches as integer[])) as b (batch)
cross join lateral (
    select
        count(*)::integer as films,
        md5(coalesce(string_agg(e.tmdb_id || ':' || e.text_hash, ',' order by e.tmdb_id), '')) as content
    from pipeline.embeddings e join catalog.movies m using (tmdb_id)
    where e.set_id = :set_id and e.batch = b.batch
) c
cross join (
    select count(*)::integer as total
    from pipeline.embeddings e join catalog.movies m using (tmdb_id) where e.set_id = :set_id
) a
