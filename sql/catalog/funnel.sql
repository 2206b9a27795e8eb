-- Applied after the migrations whenever it changes: the number of ids in each state, and of those that each rule rejects.
drop view if exists pipeline.funnel;
drop function if exists pipeline.funnel_of(text);

-- The number of ids of a media type in each state, by reason.
create or replace function pipeline.id_states_of(media text) returns table (state text, reason text, ids integer)
language sql stable
as $$
    select i.state, i.reason, count(*)::integer
    from pipeline.title_ids i
    where i.title_id between catalog.title_id(media, 1) and catalog.title_id(media, 999999999)
    group by i.state, i.reason
$$;

create or replace view pipeline.id_states as
select state, reason, ids from pipeline.id_states_of('movie');

-- The numbers of ids that each rule dropped and left, in the order of the rules. The last row is the catalogue.
create function pipeline.funnel_of(media text)
returns table (step integer, rule text, says text, dropped integer, kept integer, target integer)
language sql stable
as $$
    with ids as materialized (
        select s.state, s.reason, s.ids from pipeline.id_states_of(media) s where s.state <> 'gone'
    ), as_of as (
        select a.rules, a.target from pipeline.title_ids_as_of a where a.media_type = media
    ), steps as (
        select 0::bigint as step, null as rule, 'in TMDB''s export' as says, 0::bigint as dropped
        union all
        select
            r.step,
            r.value ->> 'rule',
            r.value ->> 'says',
            coalesce((select sum(i.ids) from ids i where i.state = 'rejected' and i.reason = r.value ->> 'rule'), 0)
        from as_of a, jsonb_array_elements(a.rules) with ordinality as r (value, step)
        union all
        select
            1000, null, 'details fetched',
            coalesce((select sum(i.ids) from ids i where i.state in ('candidate', 'failed')), 0)
    )
    select
        s.step::integer,
        s.rule,
        s.says,
        s.dropped::integer,
        (coalesce((select sum(i.ids) from ids i), 0) - sum(s.dropped) over (order by s.step))::integer,
        case when s.step = 1000 then (select a.target from as_of a) end
    from steps s
    order by s.step
$$;

create view pipeline.funnel as
select step, rule, says, dropped, kept, target from pipeline.funnel_of('movie');
