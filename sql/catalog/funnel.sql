-- Applied after the migrations whenever it changes: the number of ids in each state, and of those that each rule rejects.
drop view if exists pipeline.funnel;

create or replace view pipeline.id_states as
select
    state,
    reason,
    count(*)::integer as ids
from pipeline.title_ids
group by state, reason;

-- The numbers of ids that each rule dropped and left, in the order of the rules. The last row is the catalogue.
create view pipeline.funnel as
with ids as materialized (
    select state, reason, ids from pipeline.id_states where state <> 'gone'
), steps as (
    select 0::bigint as step, null as rule, 'in TMDB''s export' as says, 0::bigint as dropped
    union all
    select
        r.step,
        r.value ->> 'rule',
        r.value ->> 'says',
        coalesce((select sum(i.ids) from ids i where i.state = 'rejected' and i.reason = r.value ->> 'rule'), 0)
    from pipeline.ids_as_of a, jsonb_array_elements(a.rules) with ordinality as r (value, step)
    union all
    select 1000, null, 'details fetched', coalesce((select sum(i.ids) from ids i where i.state in ('candidate', 'failed')), 0)
)
select
    s.step::integer as step,
    s.rule,
    s.says,
    s.dropped::integer as dropped,
    (coalesce((select sum(i.ids) from ids i), 0) - sum(s.dropped) over (order by s.step))::integer as kept,
    case when s.step = 1000 then (select a.target from pipeline.ids_as_of a) end as target
from steps s
order by s.step;
