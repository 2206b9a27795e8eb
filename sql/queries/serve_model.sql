-- Run by recommendation_model in the transaction that stores its weights: the models before it end, and their weights go.
with before as (
    update pipeline.recommendation_models set is_served = false where is_served and model_id <> :model_id
)
delete from pipeline.film_weights where model_id <> :model_id
