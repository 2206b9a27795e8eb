-- Run by searches and reports: the embedding set that searches see, if there is one.
select set_id, provider, model, dimensions, template, held_since is not null as is_held
from pipeline.embedding_sets where is_active
