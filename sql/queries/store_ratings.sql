-- Run by the assets that read files of ratings once incoming_ratings is filled: makes the stored ratings of their
-- sources those, and touches no row that stays as it is. Of several lines about a film and a source the one that was
-- seen last counts, of equally old ones the last; duplicate_ratings.sql names them by the same rule.
with incoming as materialized (
    select distinct on (tmdb_id, source) * from incoming_ratings order by tmdb_id, source, seen_at desc, line desc
), moved as materialized (
    select i.tmdb_id
    from incoming i
    left join catalog.external_ratings e using (tmdb_id, source)
    where (i.scale_min, i.scale_max, i.raw_value, i.votes)
        is distinct from (e.scale_min, e.scale_max, e.raw_value, e.votes)
), gone as (
    delete from catalog.external_ratings e
    where case when :loader = 'csv' then e.source not in ('imdb', 'movielens') else e.source = :loader end
      and not exists (select from incoming i where i.tmdb_id = e.tmdb_id and i.source = e.source)
    returning e.tmdb_id
), stored as (
    insert into catalog.external_ratings as e (tmdb_id, source, scale_min, scale_max, raw_value, votes, seen_at)
    select tmdb_id, source, scale_min, scale_max, raw_value, votes, seen_at from incoming
    on conflict (tmdb_id, source) do update set
        scale_min = excluded.scale_min, scale_max = excluded.scale_max, raw_value = excluded.raw_value,
        votes = excluded.votes, seen_at = excluded.seen_at
    where (e.scale_min, e.scale_max, e.raw_value, e.votes, e.seen_at)
        is distinct from (excluded.scale_min, excluded.scale_max, excluded.raw_value, excluded.votes, excluded.seen_at)
    returning e.tmdb_id
)
select
    (select count(*) from incoming)::integer as stored,
    ((select count(*) from incoming_ratings) - (select count(*) from incoming))::integer as duplicates,
    (select count(*) from moved)::integer as moved,
    (select count(*) from gone)::integer as gone,
    (select count(*) from stored)::integer as written
