-- Run by movie-assets recommend --for: films for a person, with what a person wants to see of them and why they are there.
select n.tmdb_id, n.title, n.release_year, n.score, n.is_precomputed, n.reasons, m.genres, m.directors, m.overview,
    s.vote_average, s.vote_count
from catalog.recommendations_for(:person, cast(:filters as jsonb), :count) with ordinality
    n (tmdb_id, title, release_year, score, is_precomputed, reasons, place)
join catalog.movies m using (tmdb_id)
left join catalog.movie_stats s using (tmdb_id)
order by n.place
