-- Run by the assets that read files of ratings once incoming_ratings is filled: by source, the films that have enough
-- votes in what is stored, and how many of them have another value or number of votes than a load can bring.
select source, count(*)::integer as compared,
    (count(*) filter (
        where abs(100 * (i.raw_value - i.scale_min) / (i.scale_max - i.scale_min) - e.value) > :max_shift
    ))::integer as shifted,
    (count(*) filter (
        where i.votes < :min_vote_ratio * e.votes or i.votes > :max_vote_ratio * e.votes
    ))::integer as recounted
from (
    select distinct on (tmdb_id, source) * from incoming_ratings order by tmdb_id, source, seen_at desc, line desc
) i
join catalog.external_ratings e using (tmdb_id, source)
where e.votes >= :min_votes
group by source order by source
