-- Run by the sensor texts_are_not_embedded: films whose text has no vector in the set of today's settings.
select count(*)::integer as work
from catalog.movies m
left join pipeline.embeddings e on e.set_id = :set_id and e.tmdb_id = m.tmdb_id
where e.text_hash is distinct from m.text_hash
