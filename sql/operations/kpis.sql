-- Applied after the migrations whenever it changes: the figures that the catalogue is operated by, against their goals.

-- One row for each age that a copy may have (age_allowed in due.sql), of one media type or of all, the shortest age first. A
-- copy is overdue when it is a day older than that, because it becomes due some time before the day's run. Films that were rejected for another reason
-- than votes are not refreshed, and deleted ones are left out.
drop function if exists pipeline.ages_at(timestamptz);
create or replace function pipeline.ages_at(moment timestamptz, media_type text default null)
returns table (
    allowed interval, films integer, within integer, overdue integer, oldest timestamptz, median_hours double precision,
    examples bigint[]
)
language sql stable
as $$
    select
        a.allowed,
        count(*)::integer,
        count(*) filter (where i.fetched_at > moment - a.allowed)::integer,
        count(*) filter (where i.fetched_at <= moment - a.allowed - interval '1 day')::integer,
        min(i.fetched_at),
        percentile_cont(0.5) within group (order by extract(epoch from moment - i.fetched_at)::double precision / 3600),
        (array_agg(i.title_id order by i.fetched_at, i.title_id) filter (
            where i.fetched_at <= moment - a.allowed - interval '1 day'))[1:5]
    from pipeline.title_ids i cross join lateral (select pipeline.age_allowed(i.title_id, i.release_date, moment)) a (allowed)
    where i.state = 'accepted' and (ages_at.media_type is null or i.title_id between
        catalog.title_id(ages_at.media_type, 1) and catalog.title_id(ages_at.media_type, 999999999))
    group by a.allowed
    order by a.allowed
$$;

drop view if exists pipeline.kpis;
drop function if exists pipeline.kpis_at;
create function pipeline.kpis_at(moment timestamptz)
returns table (kpi text, value double precision, goal double precision, is_met boolean, says text)
language sql stable
as $$
    with listed as (
        select
            count(*) as ids,
            count(*) filter (where i.state not in ('candidate', 'failed')) as fetched,
            count(*) filter (where i.state = 'accepted' and f.is_new) as new_films,
            count(*) filter (where i.state = 'accepted' and f.is_new and i.fetched_at > moment - interval '24 hours') as fresh,
            extract(epoch from moment - min(i.fetched_at) filter (where i.state = 'accepted' and f.is_new)) / 3600 as oldest
        from pipeline.title_ids i
        cross join lateral (
            select i.release_date between moment::date - 30 and moment::date
        ) f (is_new)
        where i.gone_since is null and i.export_reason is null and i.title_id < 1000000000
    ), ages as (
        select sum(a.films) as films, sum(a.within) as within from pipeline.ages_at(moment) a
    ), calls as (
        select sum(c.calls) as calls, sum(c.calls) filter (where c.status not in ('200', '404', '429')) as failed
        from pipeline.api_calls c where c.started_at > moment - interval '24 hours'
    ), steps as (
        select count(*) as steps, count(*) filter (where r.status in ('failed', 'killed')) as failed
        from pipeline.run_log r where r.ended_at > moment - interval '24 hours'
    ), films as (
        select count(*) as films, count(v.title_id) filter (where v.text_hash = m.text_hash) as searchable
        from catalog.titles m left join catalog.movie_vectors v (title_id) using (title_id)
        where m.title_id < 1000000000
    ), figures (place, kpi, value, goal, higher, says) as (
        select 1, 'new_releases_within_24_hours', l.fresh::double precision / nullif(l.new_films, 0), null, true,
            'share of the films released in the last 30 days that were fetched in the last 24 hours; they are due after 48'
        from listed l
        union all select 2, 'new_releases_oldest_hours', l.oldest::double precision, 50, false,
            'hours since the new release was fetched that waits longest' from listed l
        union all select 3, 'films_within_their_age', a.within::double precision / nullif(a.films, 0), 0.98, true,
            'share of the accepted films whose copy is as young as it should be (2 to 30 days, by release date)'
        from ages a
        union all select 4, 'coverage', l.fetched::double precision / nullif(l.ids, 0), 0.99, true,
            'share of the ids that no rule of the export or the lists rejects whose details were fetched' from listed l
        union all select 5, 'searchable', f.searchable::double precision / nullif(f.films, 0), 0.99, true,
            'share of the accepted films that searches find by the vector of their text as it stands' from films f
        union all select 6, 'call_error_rate', coalesce(c.failed, 0)::double precision / nullif(c.calls, 0), 0.02, false,
            'share of the calls to TMDB in the last 24 hours that failed (404 and 429 are no failures)' from calls c
        union all select 7, 'step_error_rate', s.failed::double precision / nullif(s.steps, 0), 0.05, false,
            'share of the steps that ended in the last 24 hours by failing or being killed' from steps s
        union all select 8, 'export_age_days', moment::date - max(e.export_date), 1, false,
            'days since the newest ID export' from pipeline.exports e
        union all select 9, 'dollars_24_hours', coalesce(sum(c.dollars), 0)::double precision, null, false,
            'spent on embeddings in the last 24 hours' from pipeline.embedding_costs c
        where c.spent_at > moment - interval '24 hours' and c.spent_at <= moment
    )
    select
        f.kpi, f.value, f.goal, case when f.higher then f.value >= f.goal else f.value <= f.goal end, f.says
    from figures f
    order by f.place
$$;

create view pipeline.kpis as
select * from pipeline.kpis_at(now());
