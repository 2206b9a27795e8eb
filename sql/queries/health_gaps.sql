-- Run by health: films that lack what applications show or search by, the most popular as examples.
select g.what, count(*)::integer as films,
    count(*) filter (where g.is_missing)::integer as missing,
    (array_agg(m.tmdb_id order by s.popularity desc nulls last, m.tmdb_id) filter (where g.is_missing))[1:5] as examples
from catalog.movies m
left join catalog.movie_stats s using (tmdb_id)
cross join lateral (values
    ('posters', m.poster_path is null),
    ('runtimes', m.runtime_minutes is null),
    ('certifications', m.certification is null),
    ('people', cardinality(m.directors) = 0 and cardinality(m.leading_cast) = 0),
    ('keywords', cardinality(m.keywords) = 0),
    ('overviews', coalesce(m.overview, '') = '')
) g (what, is_missing)
group by g.what
