-- Run by the assets that read files of ratings: what they took in last.
select address, version, film_ids, lines, stored, loaded_at
from pipeline.rating_loads where loader = :loader order by load_id desc limit 1
