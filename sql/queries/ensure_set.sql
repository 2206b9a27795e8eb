-- Run by movie_embeddings and movie_vectors: the number of an embedding set, made when it is new. An insert that
-- finds its row there would still use up a number, and sensors ask every half minute.
with found as (
    select set_id from pipeline.embedding_sets
    where provider = :provider and model = :model and dimensions = :dimensions and template = :template
), made as (
    insert into pipeline.embedding_sets (provider, model, dimensions, template)
    select :provider, :model, :dimensions, :template
    where not exists (select from found)
    on conflict (provider, model, dimensions, template) do update set provider = excluded.provider  -- made meanwhile
    returning set_id
)
select set_id from found union all select set_id from made
