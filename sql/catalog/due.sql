-- Applied after the migrations whenever it changes: the films that the pipeline has to fetch, and the reasons.

-- Returns the version of the data that we request from TMDB. tmdb.movies.ANSWER_VERSION is the same; a test compares them.
create or replace function pipeline.answer_version() returns smallint
language sql immutable parallel safe
return 1::smallint;

-- Returns the same for a title: that of series is tmdb.series.ANSWER_VERSION.
create or replace function pipeline.answer_version(title_id bigint) returns smallint
language sql immutable parallel safe
return case when title_id < 1000000000 then pipeline.answer_version() else 2::smallint end;

-- Returns the age that the stored details of a film may reach.
create or replace function pipeline.age_allowed(release_date date, moment timestamptz) returns interval
language sql stable parallel safe
return case
    when release_date > moment::date - 30 then interval '2 days'
    when release_date > moment::date - 180 then interval '7 days'
    when release_date > moment::date - 365 then interval '14 days'
    else interval '30 days'
end;

-- Returns the same for a title; age_of_series is in broadcasts.sql.
create or replace function pipeline.age_allowed(title_id bigint, release_date date, moment timestamptz) returns interval
language sql stable parallel safe
as $$
    select case
        when title_id < 1000000000 then pipeline.age_allowed(release_date, moment)
        else pipeline.age_of_series(title_id, moment)
    end
$$;

-- Returns whether the stored details of a film are within their age, and TMDB does not report a change since.
create or replace function pipeline.has_young_details(id pipeline.title_ids, moment timestamptz) returns boolean
language sql stable
return (id).fetched_at > moment - pipeline.age_allowed((id).title_id, (id).release_date, moment) and (id).attempts = 0
    and (id).changed_at is null and (id).unlisted_at is null and (id).gone_since is null
    and (id).answer_version = pipeline.answer_version((id).title_id)
    and exists (select from pipeline.title_details r where r.title_id = (id).title_id);

-- Returns the films that are wanted, with one reason each, the first that holds:
--   requested      an application requested it and it has no young details (with young ones, see to_judge)
--   six months     our copy is close to the six months that TMDB's terms allow
--   failed         the last attempt failed
--   never fetched  it has no details
--   changed        TMDB's change feed named it since we last fetched it
--   unlisted       it is accepted and TMDB's lists no longer name it, as its votes may have fallen
--   schema         we request more of TMDB than we did when it was fetched
--   stale          our copy is older than its age allows
-- Only accepted films become stale, and films that a profile rejects for votes while no list has these (there are no lists,
-- or the film has no release date). Other outcomes change with an edit, which is in the feed, or with votes and dates,
-- which are evaluated each day (see eligibility.sql). A failed film is parked until the time of its next attempt; it keeps
-- the more urgent reasons above. Requests beyond a role's first 1,000 of a day come last (see inbox_limits.sql). A request is
-- open until it has an outcome, whatever the export and the rules decide.
drop view if exists pipeline.due;
drop function if exists pipeline.due_at;
drop function if exists pipeline.wanted_at;
create function pipeline.wanted_at(moment timestamptz)
returns table (
    tmdb_id bigint, batch smallint, reason text, priority smallint, parked boolean, fetched_at timestamptz
)
language sql stable
as $$
    select
        i.title_id, i.batch, r.reason, r.priority, i.attempts > 0 and i.next_attempt_at > moment, i.fetched_at
    from (  -- in two parts, as each has an index
        select i.*, q.title_id is not null and not pipeline.has_young_details(i, moment) as is_requested,
            coalesce(q.is_urgent, true) as is_urgent
        from pipeline.title_ids i
        left join pipeline.requested_titles q on q.title_id = i.title_id and q.served_at is null
        where i.gone_since is null and i.export_reason is null
        union all
        select i.*, not pipeline.has_young_details(i, moment), q.is_urgent
        from pipeline.requested_titles q join pipeline.title_ids i using (title_id)
        where q.served_at is null and (i.gone_since is not null or i.export_reason is not null)
    ) i
    cross join lateral (
        select
            case
                when i.is_requested then 'requested'
                when i.fetched_at <= moment - interval '170 days' then 'six months'
                when i.attempts > 0 then 'failed'
                when i.fetched_at is null then 'never fetched'
                when i.changed_at is not null then 'changed'
                when i.unlisted_at is not null and i.detail_reason is null then 'unlisted'
                when i.answer_version < pipeline.answer_version(i.title_id) then 'schema'
                when i.fetched_at <= moment - pipeline.age_allowed(i.title_id, i.release_date, moment)
                    and (i.detail_reason is null or (
                        i.failed_rules @? '$.* ? (@ == "vote_count" || @ == "vote_average")'
                        and (i.release_date is null or not exists (
                            select from pipeline.discovered_titles d
                            where d.title_id >= i.title_id / 1000000000 * 1000000000
                              and d.title_id < i.title_id / 1000000000 * 1000000000 + 1000000000))
                    )) then 'stale'
            end
    ) as d (reason)
    cross join lateral (
        select d.reason, case when d.reason = 'requested' and not i.is_urgent then 9 else array_position(
            array['requested', 'six months', 'changed', 'unlisted', 'never fetched', 'schema', 'failed', 'stale'],
            d.reason
        ) end::smallint
    ) as r (reason, priority)
    where d.reason is not null
$$;

create function pipeline.due_at(moment timestamptz)
returns table (tmdb_id bigint, batch smallint, reason text, priority smallint)
language sql stable
as $$
    select w.title_id, w.batch, w.reason, w.priority from pipeline.wanted_at(moment) w (title_id) where not w.parked
$$;

-- Returns the stored responses that are read again without a call: another parser or template read them, their film passes
-- again, or an application requested a film whose details are young. `judge` is the name of the parser and template of a
-- media type.
drop function if exists pipeline.to_judge(text);
drop function if exists pipeline.to_judge(text, timestamptz);
create or replace function pipeline.to_judge(judge text, moment timestamptz, media_type text default 'movie')
returns table (tmdb_id bigint, batch smallint)
language sql stable
as $$
    select r.title_id, i.batch
    from pipeline.title_details r join pipeline.title_ids i using (title_id)
    where i.fetched_at is not null and i.gone_since is null and i.export_reason is null
      and i.title_id between catalog.title_id(media_type, 1) and catalog.title_id(media_type, 999999999)
      and (
          i.judged_by is distinct from judge
          or (i.state = 'accepted' and not exists (select from catalog.titles m where m.title_id = i.title_id))
      )
    union
    select i.title_id, i.batch
    from pipeline.requested_titles q join pipeline.title_ids i using (title_id)
    where q.served_at is null
      and i.title_id between catalog.title_id(media_type, 1) and catalog.title_id(media_type, 999999999)
      and pipeline.has_young_details(i, moment)
$$;

create view pipeline.due as
select * from pipeline.due_at(now());
