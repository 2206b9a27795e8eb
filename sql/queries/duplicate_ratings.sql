-- Run by the assets that read files of ratings once incoming_ratings is filled: the first films that several lines rate
-- for one source, with these lines; the one that store_ratings.sql takes comes first.
select tmdb_id, source, array_agg(line order by seen_at desc, line desc) as lines
from incoming_ratings group by tmdb_id, source having count(*) > 1
order by tmdb_id, source limit 20
