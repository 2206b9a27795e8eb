-- Run by searches and reports: the embedding set that searches see, if there is one.
select set_id, provider, model, dimensions, template from pipeline.embedding_sets where is_active
