-- Run by the assets that read files of ratings: which films an IMDb id means.
select e.tmdb_id, e.value as imdb_id
from catalog.movie_external_ids e where e.source = 'imdb' order by e.tmdb_id
