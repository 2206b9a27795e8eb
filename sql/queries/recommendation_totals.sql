-- Run by recommendations: what there is in the end.
select count(*) as lists, coalesce(sum(l.films), 0) as films,
    (select count(distinct r.tmdb_id) from catalog.recommendations r) as films_recommended
from pipeline.recommendation_lists l
