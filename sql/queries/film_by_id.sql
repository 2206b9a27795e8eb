-- Run by movie-assets similar when it is given an id.
select tmdb_id, title, release_year, true as is_exact from catalog.movies where tmdb_id = :tmdb_id
