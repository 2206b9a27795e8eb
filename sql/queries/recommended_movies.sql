-- Run by movie-assets recommend: films for a person, with what a person wants to see of them and why they are there.
select n.tmdb_id, n.title, n.release_year, n.similarity, n.score, b.title as because, n.shared_features, n.reasons,
    m.genres, m.directors, m.overview, s.vote_average, s.vote_count
from catalog.recommend_movies(
    cast(:loved as bigint[]), cast(:liked as bigint[]), cast(:disliked as bigint[]), cast(:filters as jsonb), :count,
    cast(:options as jsonb)
) with ordinality n (tmdb_id, title, release_year, score, similarity, because_id, shared_features, reasons, place)
join catalog.movies m using (tmdb_id)
left join catalog.movie_stats s using (tmdb_id)
left join catalog.movies b on b.tmdb_id = n.because_id
order by n.place
