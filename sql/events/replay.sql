-- Applied after the migrations whenever it changes: the titles that follow from the events alone, and the deletion of old events.

-- Merges objects in their order: of a key that several have, the last value counts.
create or replace aggregate pipeline.merged(jsonb) (sfunc = jsonb_concat, stype = jsonb, initcond = '{}');

-- Returns a hash of the value of each field of an object; null for null.
create or replace function pipeline.field_hashes(facts jsonb) returns jsonb
language sql immutable parallel safe
return (
    select coalesce(jsonb_object_agg(f.key, case when f.value <> 'null' then
        encode(substring(sha256(convert_to(f.value::text, 'UTF8')) for 8), 'hex') end), '{}')
    from jsonb_each(facts) f);

-- Returns the titles that the catalogue had after the event `last`. facts has the fields that events say; of a title whose
-- `added` was deleted, hashes has those of its other fields.
create or replace function pipeline.replayed_titles(last bigint)
returns table (title_id bigint, hashes jsonb, facts jsonb)
language sql stable
as $$
    with said as materialized (
        select e.title_id, e.sequence, e.kind, e.payload from catalog.events e
        where e.sequence <= replayed_titles.last and e.kind in ('added', 'changed', 'left')
    ), begun as materialized (
        select distinct on (s.title_id) s.title_id, s.sequence, s.kind from said s where s.kind <> 'changed'
        order by s.title_id, s.sequence desc
    ), merged as materialized (
        select s.title_id, pipeline.merged(s.payload order by s.sequence) as facts
        from said s left join begun b using (title_id)
        where b.kind is null or (b.kind = 'added' and s.sequence >= b.sequence)
        group by s.title_id
    )
    select title_id, case when g.kind is null then b.fields end, coalesce(m.facts, '{}')
    from pipeline.event_baseline b
    full join merged m using (title_id)
    left join begun g using (title_id)
    where g.kind is distinct from 'left'
$$;

-- Compares the catalogue with what its events say, in one snapshot. examples has up to ten titles that differ, each with the
-- fields, or with 'missing' for one that only the catalogue has and 'left over' for one that only the events have.
create or replace function pipeline.compare_events()
returns table (titles bigint, differing bigint, examples text[])
language sql stable
as $$
    with compared as materialized (
        select coalesce(t.title_id, r.title_id) as title_id, t.title_id is null as is_left_over, r.title_id is null as is_missing,
            to_jsonb(t) - pipeline.columns_without_events() as stored, r.hashes, r.facts
        from catalog.titles t
        full join pipeline.replayed_titles((select b.last_sequence from catalog.event_bounds b)) r using (title_id)
    ), differing as materialized (
        select c.* from compared c
        where c.is_left_over or c.is_missing or case
            when c.hashes is null then jsonb_strip_nulls(c.facts) <> jsonb_strip_nulls(c.stored)
            else jsonb_strip_nulls(pipeline.field_hashes(c.stored))
                <> jsonb_strip_nulls(c.hashes || pipeline.field_hashes(c.facts))
        end
    )
    select (select count(*) from compared), (select count(*) from differing), array(
        select catalog.stable_key(d.title_id) || ': ' || case
            when d.is_left_over then 'left over'
            when d.is_missing then 'missing'
            else coalesce((
                select string_agg(s.key, ', ' order by s.key) from jsonb_each(d.stored) s
                where case when d.facts ? s.key or d.hashes is null
                    then s.value is distinct from coalesce(d.facts -> s.key, 'null')
                    else nullif(pipeline.field_hashes(jsonb_build_object(s.key, s.value)) -> s.key, 'null')
                        is distinct from d.hashes -> s.key
                end), 'a field that titles do not have')
            end
        from differing d order by d.title_id limit 10)
$$;

-- Run by purge_expired each day: deletes the events from before a time, and returns their number. What they say of titles
-- that are still there is kept as hashes, with which compare_events goes on. Of titles whose response was deleted, as TMDB's terms
-- ask for, the events lose their texts at once.
create or replace function pipeline.forget_events(before timestamptz) returns bigint
language plpgsql
as $$
declare
    target bigint;
    deleted bigint;
begin
    -- The lock keeps commits from numbering events meanwhile.
    perform from catalog.event_bounds for update;
    update catalog.events e set payload = '{}'
    where e.kind in ('added', 'changed') and e.payload <> '{}'
      and not exists (select from pipeline.title_details d where d.title_id = e.title_id)
      and not exists (select from catalog.titles t where t.title_id = e.title_id);
    target := coalesce(
        (select min(e.sequence) - 1 from catalog.events e where e.occurred_at >= forget_events.before),
        (select b.last_sequence from catalog.event_bounds b));
    if target <= (select b.deleted_to from catalog.event_bounds b) then
        return 0;
    end if;
    create temp table remaining on commit drop as
    select r.title_id, jsonb_strip_nulls(coalesce(r.hashes, '{}') || pipeline.field_hashes(r.facts)) as fields
    from pipeline.replayed_titles(target) r;
    delete from pipeline.event_baseline b where not exists (select from remaining r where r.title_id = b.title_id);
    insert into pipeline.event_baseline as b (title_id, fields) select r.title_id, r.fields from remaining r
    on conflict (title_id) do update set fields = excluded.fields where b.fields <> excluded.fields;
    drop table remaining;
    delete from catalog.events e where e.sequence <= target;
    get diagnostics deleted = row_count;
    update catalog.event_bounds set deleted_to = target;
    return deleted;
end
$$;

-- The titles of a catalogue from before there were events. Until this transaction commits no other can write titles, as it has
-- created triggers on them.
do $$
begin
    if (select b.began_at is null from catalog.event_bounds b) then
        insert into pipeline.event_baseline (title_id, fields)
        select t.title_id, jsonb_strip_nulls(pipeline.field_hashes(to_jsonb(t) - pipeline.columns_without_events()))
        from catalog.titles t;
        update catalog.event_bounds set began_at = now();
    end if;
end
$$;
