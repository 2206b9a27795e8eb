-- Run by recommendations, some thousands of films at a time: a model's weights, in the binary form of arrays.
select w.tmdb_id, w.popularity, array_send(w.others) as others, array_send(w.weights) as weights,
    array_send(w.directions) as directions
from pipeline.film_weights w
where w.model_id = :model_id and w.tmdb_id > :after
order by w.tmdb_id
limit :count
