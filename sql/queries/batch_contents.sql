-- Run when a batch is finished: its films, and a hash that moves when one comes, goes or changes its text.
select
    count(*)::integer as films,
    md5(coalesce(string_agg(tmdb_id || ':' || text_hash, ',' order by tmdb_id), '')) as content
from catalog.movies where pipeline.batch_of(tmdb_id) = :batch
