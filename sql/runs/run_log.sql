-- Applied after the migrations whenever it changes: the figures of runs, for dashboards.

create or replace view pipeline.runs as
select
    r.run_id,
    min(r.job) as job,
    min(r.trigger) as trigger,
    min(r.triggered_by) as triggered_by,
    min(r.moment) as moment,
    min(r.started_at) as started_at,
    case when bool_and(r.ended_at is not null) then max(r.ended_at) end as ended_at,
    case
        when bool_or(r.status = 'running') then 'running'
        when bool_or(r.status = 'killed') then 'killed'
        when bool_or(r.status = 'stopped') then 'stopped'
        when bool_or(r.status = 'failed') then 'failed'
        else 'succeeded'
    end as status,
    string_agg(r.step || ': ' || r.reason, E'\n' order by r.started_at) filter (where r.reason is not null) as reason,
    count(*)::integer as steps,
    sum(r.checked)::bigint as checked,
    sum(r.skipped)::bigint as skipped,
    sum(r.fetched)::bigint as fetched,
    sum(r.changed)::bigint as changed,
    sum(r.failed)::bigint as failed,
    sum(r.gone)::bigint as gone,
    sum(r.embedded)::bigint as embedded,
    sum(r.tokens)::bigint as tokens,
    sum(r.dollars) as dollars,
    sum(r.duration) as duration,
    (select coalesce(sum(c.calls), 0) from pipeline.api_calls c where c.run_id = r.run_id)::bigint as calls
from pipeline.run_log r
group by r.run_id;

-- The number of rows of a table or view, for the web UI.
create or replace function pipeline.count_rows(which regclass) returns bigint
language plpgsql stable
as $$
declare
    row_count bigint;
begin
    execute format('select count(*) from %s', which) into row_count;
    return row_count;
end
$$;
