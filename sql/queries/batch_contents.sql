-- Run when batches are finished: their films, and a hash that moves when one comes, goes or changes its text.
select b.batch, c.films, c.content
from unnest(cast(:batches as integer[])) as b (batch)
cross join lateral (
    select
        count(*)::integer as films,
        md5(coalesce(string_agg(tmdb_id || ':' || text_hash, ',' order by tmdb_id), '')) as content
    from catalog.movies where pipeline.batch_of(tmdb_id) = b.batch
) c
