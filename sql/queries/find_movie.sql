-- Run by movie-assets similar: the films that a title can mean.
select tmdb_id, title, release_year, confidence, matched_by from catalog.find_movie(cast(:title as text))
