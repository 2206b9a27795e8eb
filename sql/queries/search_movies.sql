-- Run by movie-assets search: films by words and meaning, with what a person wants to see of them.
select
    n.tmdb_id, n.title, n.release_year, n.score, n.found_by, m.genres, m.directors, m.overview, s.vote_average, s.vote_count
from catalog.search_movies(
    cast(:text as text), :count, cast(:filters as jsonb), cast(:embedding as vector), cast(:set_id as integer)
) with ordinality n (tmdb_id, title, release_year, score, found_by, place)
join catalog.movies m using (tmdb_id)
left join catalog.movie_stats s using (tmdb_id)
order by n.place
