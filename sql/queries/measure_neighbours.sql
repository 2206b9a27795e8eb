-- Run by search_quality: searches for films near others, how long each took and whether it found those of the collection.
select is_random, milliseconds, siblings, siblings_found, similarities
from pipeline.measure_neighbours(:set_id, :samples)
