-- Run by health for its picture: what embeddings cost, by day, for two weeks.
select day, sum(dollars)::double precision as dollars, sum(tokens)::bigint as tokens
from pipeline.embedding_spending
where day > (cast(:moment as timestamptz) at time zone 'UTC')::date - 14
group by day
order by day
