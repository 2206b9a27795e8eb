-- Run before tokens are foretold: what a set's service charged for texts whose bytes were counted.
select
    coalesce(sum(texts), 0)::bigint as texts, coalesce(sum(tokens), 0)::bigint as tokens,
    coalesce(sum(text_bytes), 0)::bigint as text_bytes
from pipeline.embedding_costs
where set_id = :set_id and text_bytes > 0 and tokens > 0
