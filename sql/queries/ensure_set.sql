-- Run by movie_embeddings and movie_vectors: the number of an embedding set, made when it is new. An insert that
-- finds its row there would still use up a number, and sensors ask every half minute. Sets that were named when a
-- service's name had its host only become those of the service at today's address, so that nothing is embedded again.
with found as (
    select set_id from pipeline.embedding_sets
    where provider in (:provider, :former_provider) and model = :model and dimensions = :dimensions
      and template = :template
    order by provider = :provider desc limit 1
), renamed as (
    update pipeline.embedding_sets s set provider = :provider
    where s.provider = :former_provider and :former_provider <> :provider
      and not exists (
          select from pipeline.embedding_sets o
          where o.provider = :provider and (o.model, o.dimensions, o.template) = (s.model, s.dimensions, s.template))
), made as (
    insert into pipeline.embedding_sets (provider, model, dimensions, template)
    select :provider, :model, :dimensions, :template
    where not exists (select from found)
    on conflict (provider, model, dimensions, template) do update set provider = excluded.provider  -- made meanwhile
    returning set_id
)
select set_id from found union all select set_id from made
