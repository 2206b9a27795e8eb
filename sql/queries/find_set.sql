-- Run by movie-assets cost: the number of an embedding set, if it was made, also before `ensure_set` renamed it.
select set_id from pipeline.embedding_sets
where provider in (:provider, :former_provider) and model = :model and dimensions = :dimensions
  and template = :template
order by provider = :provider desc limit 1
