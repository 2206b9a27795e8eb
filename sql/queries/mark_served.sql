-- Run by recommendation_model right after serve_model: a model is served from here on.
update pipeline.recommendation_models set is_served = true where model_id = :model_id
