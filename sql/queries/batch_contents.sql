-- Run when batches are finished: their films, a hash that moves when one comes, goes or changes its text, and all films.
select b.batch, c.films, c.content, a.total
from unnest(cast(:batches as integer[])) as b (batch)
cross join lateral (
    select
        count(*)::integer as films,
        md5(coalesce(string_agg(tmdb_id || ':' || text_hash, ',' order by tmdb_id), '')) as content
    from catalog.movies where pipeline.batch_of(tmdb_id) = b.batch
) c
cross join (select count(*)::integer as total from catalog.movies) a
