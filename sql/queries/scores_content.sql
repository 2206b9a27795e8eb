-- Run by rating_aggregates: names the scores that are stored, how many, and what was named when they were written.
select
    sum(hash_record_extended(a, 0)::numeric) as name,
    count(*)::integer as scores,
    (select min(m.fingerprint) from catalog.rating_methods m) as fingerprint
from (
    select method_version, scope, key, films, votes, score, score_low, score_high, source_scores
    from catalog.rating_aggregates
) a
