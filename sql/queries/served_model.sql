-- Run by recommendation_model, recommendations and recommendation_quality: the model that is served, if there is one.
select m.model_id, m.kind, m.parameters, m.persons, m.films, m.likes, m.fitted_at, m.seconds,
    (select count(*) from pipeline.film_weights w where w.model_id = m.model_id) as films_with_weights
from pipeline.recommendation_models m where m.is_served
