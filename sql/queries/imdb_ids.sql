-- Run by the assets that read files of ratings: which films an IMDb id means.
select m.tmdb_id, m.imdb_id from catalog.movies m where m.imdb_id is not null
union
select e.tmdb_id, e.value from catalog.movie_external_ids e where e.source = 'imdb'
order by tmdb_id, imdb_id
