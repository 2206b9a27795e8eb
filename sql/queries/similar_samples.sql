-- Run by similar_movies' check: for some films, the ones that change from day to day, which share of the ten nearest is in their list.
select
    f.tmdb_id,
    (select count(*) from catalog.similar_movies s
     where s.tmdb_id = f.tmdb_id and s.similarity >= (select min(n.similarity) from unnest(n.found) n (similarity)) - 1e-3)
        ::double precision / greatest(1, cardinality(n.found)) as recall
from (
    select l.tmdb_id from pipeline.similar_lists l
    order by md5(l.tmdb_id || cast(:moment as timestamptz)::date::text) limit :samples
) f
cross join lateral (
    select array(select s.similarity from catalog.similar_movies(f.tmdb_id, 10) s) as found
) n
