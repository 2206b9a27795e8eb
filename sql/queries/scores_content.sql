-- Run by rating_aggregates: names the scores that are stored and what their methods say, how many scores, and what was named
-- when they were written.
select
    concat_ws('-', sum(hash_record_extended(a, 0)::numeric), (
        select sum(hash_record_extended(m, 0)::numeric) from (
            select method_version, is_current, says, parameters from catalog.rating_methods) m)) as name,
    count(*)::integer as scores,
    (select min(m.fingerprint) from catalog.rating_methods m) as fingerprint
from (
    select method_version, scope, key, films, votes, score, score_low, score_high, source_scores
    from catalog.rating_aggregates
) a
