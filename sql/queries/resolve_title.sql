-- Run by movie-assets similar: films of exactly this title, else of a title that contains it; known ones first.
with titles as (
    select m.tmdb_id, m.title, m.release_year, s.vote_count,
        lower(:title) in (lower(m.title), lower(m.original_title)) as is_exact
    from catalog.movies m join catalog.movie_stats s using (tmdb_id)
    where position(lower(:title) in lower(m.title)) > 0
       or lower(m.original_title) = lower(:title)
)
select tmdb_id, title, release_year, is_exact from titles
where is_exact or not exists (select from titles where is_exact)
order by vote_count desc
limit 10
