-- Applied after the migrations whenever it changes: what embeddings cost.

-- Texts, tokens and US dollars by day (UTC) and embedding set; comparisons of models belong to no set.
create or replace view pipeline.embedding_spending as
select
    (c.spent_at at time zone 'UTC')::date as day,
    c.set_id,
    s.provider,
    s.model,
    s.dimensions,
    sum(c.texts)::bigint as texts,
    sum(c.tokens)::bigint as tokens,
    sum(c.dollars) as dollars,
    coalesce(sum(c.dollars) filter (where c.is_bulk), 0) as of_which_in_bulk,
    count(distinct c.run_id)::integer as runs
from pipeline.embedding_costs c left join pipeline.embedding_sets s using (set_id)
group by 1, c.set_id, s.provider, s.model, s.dimensions;

-- US dollars that the day (UTC) of a time, and a run, have spent, and that are reserved for requests in flight.
create or replace function pipeline.embedding_dollars(
    moment timestamptz, which_run text, out spent_today numeric, out reserved_today numeric, out spent_by_run numeric,
    out reserved_by_run numeric
)
language sql stable
as $$
    with today as (
        select date_trunc('day', moment, 'UTC') as begins, date_trunc('day', moment, 'UTC') + interval '1 day' as ends
    )
    select
        (select coalesce(sum(c.dollars), 0) from pipeline.embedding_costs c
         where c.spent_at >= t.begins and c.spent_at < t.ends),
        (select coalesce(sum(r.dollars), 0) from pipeline.embedding_reservations r
         where r.reserved_at >= t.begins and r.reserved_at < t.ends),
        (select coalesce(sum(c.dollars), 0) from pipeline.embedding_costs c where c.run_id = which_run),
        (select coalesce(sum(r.dollars), 0) from pipeline.embedding_reservations r where r.run_id = which_run)
    from today t
$$;
