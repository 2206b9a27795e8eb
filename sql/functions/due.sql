-- Applied after the migrations whenever it changes: what the pipeline has to fetch, and why.

-- A film is wanted when TMDB has something that we have not: it was never fetched, TMDB's change feed named it
-- after our last look, our last attempt failed, or our copy is older than its age allows. A failed film is
-- parked until its next attempt's time has come.
create or replace function pipeline.wanted_at(moment timestamptz)
returns table (tmdb_id bigint, batch smallint, reason text, priority smallint, parked boolean)
language sql stable
as $$
    select i.tmdb_id, i.batch, r.reason, r.priority, i.attempts > 0 and i.next_attempt_at > moment
    from pipeline.movie_ids i
    cross join lateral (
        select
            case
                when i.attempts > 0 then 'failed'
                when i.fetched_at is null then 'never fetched'
                when i.changed_at > i.fetched_at then 'changed'
                when i.fetched_at <= moment - case
                    when i.release_date > moment::date - 30 then interval '2 days'
                    when i.release_date > moment::date - 180 then interval '7 days'
                    when i.release_date > moment::date - 365 then interval '14 days'
                    else interval '30 days'
                end then 'stale'
            end
    ) as d (reason)
    cross join lateral (
        select d.reason, array_position(array['changed', 'never fetched', 'failed', 'stale'], d.reason)::smallint
    ) as r (reason, priority)
    where i.gone_since is null and i.export_reason is null and d.reason is not null
$$;

create or replace function pipeline.due_at(moment timestamptz)
returns table (tmdb_id bigint, batch smallint, reason text, priority smallint)
language sql stable
as $$
    select w.tmdb_id, w.batch, w.reason, w.priority from pipeline.wanted_at(moment) w where not w.parked
$$;

-- Stored answers to judge without a call: other rules judged them, or their film came back into the export.
create or replace function pipeline.to_judge(judge text)
returns table (tmdb_id bigint, batch smallint)
language sql stable
as $$
    select r.tmdb_id, i.batch
    from pipeline.raw_details r join pipeline.movie_ids i using (tmdb_id)
    where i.fetched_at is not null and i.gone_since is null and i.export_reason is null
      and (
          i.judged_by is distinct from judge
          or (i.state = 'accepted' and not exists (select from catalog.movies m where m.tmdb_id = i.tmdb_id))
      )
$$;

create or replace view pipeline.due as
select * from pipeline.due_at(now());
