-- Run by reconciliation: a film of the catalogue whose id is not accepted leaves; an accepted one without a stored response
-- is due to be fetched, and the moment of a fetch is that of the response.
with extra as (
    delete from catalog.movies m
    where not exists (select from pipeline.movie_ids i where i.tmdb_id = m.tmdb_id and i.state = 'accepted')
    returning m.tmdb_id
), lost as (
    update pipeline.movie_ids i set changed_at = :moment
    where i.state = 'accepted' and not exists (select from pipeline.raw_details r where r.tmdb_id = i.tmdb_id)
    returning i.tmdb_id
), redated as (
    update pipeline.movie_ids i set fetched_at = r.fetched_at
    from pipeline.raw_details r
    where r.tmdb_id = i.tmdb_id and i.fetched_at <> r.fetched_at and i.state = 'accepted'
    returning i.tmdb_id
)
select ((select count(*) from extra) + (select count(*) from lost) + (select count(*) from redated))::integer as repaired
