-- Run by movie_details and movie_embeddings for the run log: the ids worth a look, and the films, of some batches.
select
    (select count(*) from pipeline.movie_ids i
     where i.gone_since is null and i.export_reason is null and i.batch = any(:batches))::integer as ids,
    (select count(*) from catalog.movies m where pipeline.batch_of(m.tmdb_id) = any(:batches))::integer as films
