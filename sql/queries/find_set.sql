-- Run by movie-assets cost: the number of an embedding set, if it was made.
select set_id from pipeline.embedding_sets
where provider = :provider and model = :model and dimensions = :dimensions and template = :template
