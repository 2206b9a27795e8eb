-- Run by movie-assets status: the state of the catalogue in one row.
select
    (select count(*) from catalog.movies)::integer as movies,
    (select max(export_date) from pipeline.exports) as last_export_date,
    (select source from pipeline.exports order by export_date desc limit 1) as source,
    (select count(*) from pipeline.due_at(:moment))::integer as due,
    (select count(*) from pipeline.movie_ids)::integer as ids,
    (select count(*) from pipeline.movie_ids where state = 'gone')::integer as gone,
    (select count(*) from pipeline.movie_ids where state = 'failed')::integer as failed,
    (select count(*) from pipeline.movie_ids where state = 'candidate')::integer as candidates,
    (select coalesce(sum(tokens), 0) from pipeline.embedding_costs)::bigint as tokens_embedded,
    (select coalesce(sum(dollars), 0) from pipeline.embedding_costs)::double precision as dollars
