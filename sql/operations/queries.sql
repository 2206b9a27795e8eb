-- name: alert_destinations
-- Run by `movie-assets alert list` and by the alerts' sensor: the destinations, each with its number of undelivered events.
select d.destination, d.failures, d.failing_since, d.last_error, d.last_delivered_at, d.next_attempt_at,
    (select count(*) from pipeline.alerts_to_tell(d.destination, :least_severity, :as_of)) as untold
from pipeline.alert_destinations d
order by d.destination


-- name: beat
-- Run by the alerts' sensor at the end of each tick.
insert into pipeline.heartbeats (name, beat_at) values (:name, :as_of)
on conflict (name) do update set beat_at = excluded.beat_at


-- name: begin_alert
-- Run by the alerts' sensor for each new problem.
insert into pipeline.alerts
    (kind, place, name, severity, says, expected, figures, evidence, link, began_at, noticed_at)
values (:kind, :place, :name, :severity, :message, :expected, cast(:figures as jsonb), :evidence, :link,
    least(cast(:began_at as timestamptz), :as_of), :as_of)


-- name: calls_by_day
-- Run by health: the calls to TMDB of two weeks by day (UTC) and status.
select
    (c.started_at at time zone 'UTC')::date as day,
    coalesce(sum(c.calls) filter (where c.status = '200'), 0)::integer as answered,
    coalesce(sum(c.calls) filter (where c.status = '404'), 0)::integer as gone,
    coalesce(sum(c.calls) filter (where c.status = '429'), 0)::integer as paused,
    coalesce(sum(c.calls) filter (where c.status not in ('200', '404', '429')), 0)::integer as failed
from pipeline.api_calls c
where c.started_at > cast(:as_of as timestamptz) - interval '14 days'
group by 1
order by 1


-- name: clean_up
-- Run by retention: deletes what has been kept long enough.
select kind, kept_days, rows_deleted from pipeline.clean_up(:as_of)


-- name: clear_claims
-- Run by reconciliation before it reads the stored responses again, and after it.
delete from pipeline.shared_claims


-- name: clear_health_findings
-- Run by health before it stores its findings.
delete from pipeline.health_findings


-- name: compare_documents
-- Run by reconciliation, chunk by chunk: documents and names made anew, compared with the stored ones.
select last_id, looked_at as compared, title_id, table_name, column_names, what as state
from pipeline.compare_documents(cast(:after as bigint), cast(:films as integer)) as t (last_id, looked_at, title_id)


-- name: compare_responses
-- Run by reconciliation for each chunk of responses that it read into incoming_films.
select title_id, table_name, column_names, what as state from pipeline.compare_responses() as t (title_id)


-- name: compare_shared_rows
-- Run by reconciliation once all responses were compared.
select table_name, id, column_names, what as state from pipeline.compare_shared_rows()


-- name: compare_similar_lists
-- Run by reconciliation: places in lists of similar films that are not what the vectors and the films say.
select title_id, place, column_names from pipeline.compare_similar_lists() as t (title_id)


-- name: correct_postings
-- Run by reconciliation when films were not listed under their words, or under others.
select pipeline.correct_postings() as repaired


-- name: cost_by_day
-- Run by health: the cost of embeddings of two weeks by day (UTC).
select day, sum(dollars)::double precision as dollars, sum(tokens)::bigint as tokens
from pipeline.embedding_spending
where day > (cast(:as_of as timestamptz) at time zone 'UTC')::date - 14
group by day
order by day


-- name: count_claims
-- Run by reconciliation: how many people, genres and the like the responses name.
select count(*)::integer as claims from pipeline.shared_claims


-- name: count_similar
-- Run by reconciliation: how many places the lists of similar films have.
select count(*)::integer as places from catalog.similar_titles


-- name: end_alert
-- Run by the alerts' sensor when a subject recovered or no longer exists; is_hushed: the alert ended while it was muted.
update pipeline.alerts a
set ended_at = :as_of, ended_how = :how,
    is_hushed = exists (
        select from pipeline.alert_mutes m where m.name in (a.name, nullif(a.place, '')) and m.until > :as_of
    )
where alert_id = :alert_id and ended_at is null


-- name: fetch_again
-- Run by reconciliation, for films whose stored response cannot be read, and by movie-assets fetch: the details of the films
-- count as changed. They are due, and no request is answered from them.
update pipeline.title_ids set changed_at = :as_of
where title_id = any(cast(:title_ids as bigint[]))


-- name: forget_days
-- Run by retention: days whose runs were deleted are no longer days of the catalogue.
update pipeline.first_day set day = :before where day < :before


-- name: forget_documents
-- Run by reconciliation: the next publication makes the documents of these films again.
delete from pipeline.title_document_sources where title_id = any (cast(:title_ids as bigint[]))


-- name: forget_lost_documents
-- Run by reconciliation when films are not found by their words.
select pipeline.forget_lost_documents() as repaired


-- name: forget_rows
-- Run by reconciliation in the transaction that writes the rows of some films again.
select pipeline.forget_rows(cast(:title_ids as bigint[])) as forgotten


-- name: forget_scores
-- Run by reconciliation: the next publication computes and writes all scores again.
update catalog.rating_methods set fingerprint = null


-- name: has_heartbeats
-- Run before heartbeats: whether the database has the table of heartbeats.
select to_regclass('pipeline.heartbeats') is not null as has_heartbeats


-- name: health_calls
-- Run by health: the calls to TMDB within 24 hours, by status.
select c.status, sum(c.calls)::integer as calls
from pipeline.api_calls c
where c.started_at > cast(:as_of as timestamptz) - interval '24 hours'
group by c.status
order by calls desc


-- name: health_database
-- Run by health: the versions of the server and of pgvector, the size of the database, its connections.
select
    current_setting('server_version') as version,
    (select extversion from pg_extension where extname = 'vector') as pgvector,
    pg_database_size(current_database()) as bytes,
    pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as is_read_only,
    current_setting('max_connections')::integer as max_connections,
    (select count(*) from pg_stat_activity where backend_type = 'client backend')::integer as connections


-- name: health_destinations
-- Run by health: the destinations of alerts whose last attempt failed.
select destination, failing_since, last_error, failures
from pipeline.alert_destinations
where failing_since is not null
order by failing_since, destination


-- name: health_due
-- Run by health: the films that are due to be fetched, by reason, and when movie_details last succeeded.
select
    d.reason,
    count(*)::integer as films,
    (array_agg(d.title_id order by d.title_id))[1:5] as examples,
    (select count(*) from catalog.titles)::integer as movies,
    (select max(r.ended_at) from pipeline.run_log r where r.step = 'movie_details' and r.status = 'succeeded')
        as succeeded_at
from pipeline.due_at(:as_of) d (title_id)
group by d.reason
order by min(d.priority)


-- name: health_duplicates
-- Run by health: films that may be the same, with one IMDb id, or with one title, date and runtime.
select 'IMDb id ' || m.imdb_id as identity, array_agg(m.title_id order by m.title_id) as ids
from catalog.titles m where m.imdb_id is not null and m.title_id < 1000000000
group by m.imdb_id having count(*) > 1
union all
select
    '“' || min(m.title) || '” of ' || m.release_date || ', ' || m.runtime_minutes || ' minutes',
    array_agg(m.title_id order by m.title_id)
from catalog.titles m
where m.release_date is not null and m.runtime_minutes is not null and m.title_id < 1000000000
group by lower(m.title), lower(m.original_title), m.release_date, m.runtime_minutes
having count(*) > 1 and count(distinct m.imdb_id) < count(*)
order by 1


-- name: health_export
-- Run by health: the newest export and its source.
select export_date, source from pipeline.exports order by export_date desc limit 1


-- name: health_failed_ids
-- Run by health: the ids whose last attempt to fetch failed, by reason.
select
    coalesce(i.last_error, 'unknown') as reason,
    count(*)::integer as ids,
    count(*) filter (where i.attempts >= 5)::integer as failed_often,
    (array_agg(i.title_id order by i.attempts desc, i.title_id))[1:5] as examples,
    (select count(*) from pipeline.title_ids a where a.gone_since is null and a.export_reason is null)::integer as all_ids
from pipeline.title_ids i
where i.gone_since is null and i.attempts > 0
group by 1
order by ids desc


-- name: health_findings
-- Run by health's checks: the findings of the last run of health.
select name, severity, message, found as affected, examples, next_step, is_service, run_id
from pipeline.health_findings order by name, not is_service


-- name: health_gaps
-- Run by health: the films that lack what applications show or search by; the most popular ones are the examples.
select g.field, count(*)::integer as films,
    count(*) filter (where g.is_missing)::integer as missing,
    (array_agg(m.title_id order by s.popularity desc nulls last, m.title_id) filter (where g.is_missing))[1:5] as examples
from catalog.titles m
left join catalog.title_stats s using (title_id)
cross join lateral (values
    ('posters', m.poster_path is null),
    ('runtimes', m.runtime_minutes is null),
    ('certifications', m.certification is null),
    ('people', cardinality(m.directors) = 0 and cardinality(m.leading_cast) = 0),
    ('keywords', cardinality(m.keywords) = 0),
    ('overviews', coalesce(m.overview, '') = '')
) g (field, is_missing)
where m.title_id < 1000000000
group by g.field


-- name: health_index
-- Run by health: the number of vectors that searches see, and the state of their index.
select
    (select count(*) from catalog.movie_vectors)::integer as vectors,
    coalesce(i.is_needed, false) as is_needed,
    x.oid is not null as has_index,
    coalesce(i.is_valid, false) as is_valid
from (values (1)) one (row)
left join pipeline.embedding_sets s on s.is_active
left join pg_class x on x.oid = to_regclass('catalog.title_vectors_' || s.set_id || '_nearest')
left join lateral pipeline.vector_index_state(s.set_id) i on s.set_id is not null


-- name: health_steps
-- Run by health: how each step of the last forty days ended last, and when it last succeeded.
with ended as (
    select r.* from pipeline.run_log r
    where r.status <> 'running' and r.started_at > cast(:as_of as timestamptz) - interval '40 days'
), well as (
    select e.step, max(e.ended_at) as succeeded_at from ended e where e.status = 'succeeded' group by e.step
)
select distinct on (e.step) e.step, e.status, e.reason, e.run_id, e.started_at, w.succeeded_at
from ended e left join well w using (step)
order by e.step, e.started_at desc


-- name: health_texts
-- Run by health, for the active set and the one that runs are building, if it is another: films whose text has no vector in
-- the set, those of them that have waited for six hours (and are in no bulk job) or were refused, and the outcome of the last
-- run of the set.
with sets as (
    select
        s.set_id, s.is_active, s.created_at, s.answered_by as begun_by,
        format('%s %s %s %s', s.provider, s.model, s.dimensions, s.template) as name
    from pipeline.embedding_sets s
    where s.is_active
       or s.last_run_at = (select max(o.last_run_at) from pipeline.embedding_sets o)
          and (s.retired_at is null or s.retired_at < s.last_run_at)
), counted as (
    select
        s.set_id,
        count(m.title_id)::integer as movies,
        count(*) filter (where w.is_missing)::integer as missing,
        count(*) filter (where w.is_stale and r.text_hash is null)::integer as stale,
        count(*) filter (where w.is_stale and r.text_hash is not null)::integer as refused,
        (array_agg(m.title_id order by m.changed_at, m.title_id) filter (where w.is_stale))[1:5] as examples
    from (values (1)) one (row)
    left join sets s on true
    left join catalog.titles m on true
    left join pipeline.title_embeddings e on e.set_id = s.set_id and e.title_id = m.title_id
    left join pipeline.refused_texts r on r.set_id = s.set_id and r.text_hash = m.text_hash
    cross join lateral (
        select
            e.text_hash is distinct from m.text_hash as is_missing,
            e.text_hash is distinct from m.text_hash
                -- Texts wait for a set that is being built since it was created.
                and greatest(m.changed_at, case when not s.is_active then s.created_at end)
                    < cast(:as_of as timestamptz) - interval '6 hours'
                and not exists (
                    select from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
                    where b.set_id = s.set_id and t.text_hash = m.text_hash) as is_stale
    ) w
    group by s.set_id
)
select
    c.*, coalesce(s.name, '') as name, coalesce(s.is_active, false) as is_active, s.begun_by, o.answered_by,
    coalesce(o.texts, 0) as run_texts, coalesce(o.embedded, 0) as run_embedded, coalesce(o.refused, 0) as run_refused,
    coalesce(o.in_flight, 0) as run_in_flight, o.problem, o.ended_at, coalesce(o.run_id, '') as run_id
from counted c
left join sets s using (set_id)
left join pipeline.embedding_outcomes o using (set_id)
order by is_active desc, c.set_id


-- name: health_triggers
-- Run by health: the last decision of each trigger, and since when it has given up.
select name, job, given_up_at, says as reason from pipeline.triggers order by given_up_at, name


-- name: heartbeats
-- Run by health: the last heartbeat of each sensor.
select name, beat_at from pipeline.heartbeats order by beat_at


-- name: keep_incoming_films
-- Run by reconciliation before it writes rows again: only the films that differ.
delete from incoming_films where title_id <> all (cast(:title_ids as bigint[]))


-- name: kpis
-- Run by health: the figures that the catalogue is operated by.
select kpi, value, goal, is_met, says as description from pipeline.kpis_at(:as_of)


-- name: last_decision
-- Run by health if alerts have a destination: when a trigger last decided otherwise than before.
select max(decided_at) as decided_at from pipeline.triggers


-- name: open_alerts
-- Run by the alerts' sensor before it observes anything: the alerts that have not ended.
select alert_id, kind, place, name, evidence, array(select jsonb_object_keys(figures)) as figures
from pipeline.alerts where ended_at is null


-- name: outdate_lists_of
-- Run by reconciliation: the next publication makes the lists of these films again.
update pipeline.similar_title_lists set is_outdated = true where title_id = any (cast(:title_ids as bigint[]))


-- name: reconcile
-- Run by reconciliation: tables that must agree, compared row by row.
select agreement, rows_compared, rows_differing, examples from pipeline.reconcile(:template) order by agreement


-- name: record_delivery
-- Run by the alerts' sensor after a message arrived.
with arrived as (
    insert into pipeline.alert_deliveries (destination, alert_id, event, severity, delivered_at)
    select :destination, t.alert_id, t.event, t.severity, :as_of
    from unnest(cast(:alert_ids as bigint[]), cast(:events as text[]), cast(:severities as text[]))
        t (alert_id, event, severity)
    on conflict do nothing
)
update pipeline.alert_destinations
set failures = 0, failing_since = null, last_error = null, next_attempt_at = :as_of, last_delivered_at = :as_of
where destination = :destination


-- name: record_delivery_failure
-- Run by the alerts' sensor after a message did not arrive. The next attempt is due after 1, 2, 4 … minutes, an hour at
-- most, or after the time that the destination asks for if that is longer.
update pipeline.alert_destinations
set failures = failures + 1, last_error = :error, failing_since = coalesce(failing_since, :as_of),
    next_attempt_at = cast(:as_of as timestamptz)
        + greatest(least(interval '1 minute' * 2 ^ least(failures, 6), interval '1 hour'),
            least(interval '1 second' * :retry_after, interval '1 hour'))
where destination = :destination


-- name: record_health_finding
-- Run by health for each of its findings.
insert into pipeline.health_findings
    (name, severity, message, found, examples, next_step, is_service, run_id, looked_at)
values (:name, :severity, :message, :affected, :examples, :next_step, :is_service, :run_id, :as_of)


-- name: record_reconciliation
-- Run by reconciliation for each agreement that it looked at.
insert into pipeline.reconciliations
    (reconciled_at, agreement, rows_compared, rows_differing, examples, repaired, run_id)
values (:as_of, :agreement, :rows_compared, :rows_differing, :examples, :repaired, :run_id)
on conflict (reconciled_at, agreement) do update set
    rows_compared = excluded.rows_compared, rows_differing = excluded.rows_differing, examples = excluded.examples,
    repaired = excluded.repaired, run_id = excluded.run_id


-- name: recount_of_run
-- Run by reconciliation's check: what the recount of its own run found.
select agreement, rows_compared, rows_differing, examples, repaired from pipeline.reconciliations where run_id = :run_id


-- name: recount_vocabulary
-- Run by reconciliation when words were counted wrong.
select pipeline.recount_vocabulary() as repaired


-- name: remove_strange_vectors
-- Run by reconciliation when vectors are searched that are not the paid-for ones.
select pipeline.remove_strange_vectors() as repaired


-- name: renew_alert
-- Run by the alerts' sensor when a broken subject was evaluated again: stores the newest figures and the worst severity.
update pipeline.alerts
set severity = case when 'ERROR' in (severity, :severity) then 'ERROR' else 'WARN' end,
    says = :message, expected = :expected, figures = cast(:figures as jsonb), evidence = :evidence, link = :link
where alert_id = :alert_id


-- name: repeat_alert
-- Run by the alerts' sensor when an alert has new broken parts. Destinations that received it get the event "worse" again, as
-- if they had received a warning.
with repeated as (
    delete from pipeline.alert_deliveries where alert_id = :alert_id and event = 'worse'
)
update pipeline.alert_deliveries set severity = 'WARN' where alert_id = :alert_id and event = 'broken'


-- name: repair_films
-- Run by reconciliation: a film of the catalogue whose id is not accepted leaves; an accepted one without a stored response
-- is due to be fetched, and the time of a fetch is that of the response.
with extra as (
    delete from catalog.titles m
    where not exists (select from pipeline.title_ids i where i.title_id = m.title_id and i.state = 'accepted')
    returning m.title_id
), lost as (
    update pipeline.title_ids i set changed_at = :as_of
    where i.state = 'accepted' and not exists (select from pipeline.title_details r where r.title_id = i.title_id)
    returning i.title_id
), redated as (
    update pipeline.title_ids i set fetched_at = r.fetched_at
    from pipeline.title_details r
    where r.title_id = i.title_id and i.fetched_at <> r.fetched_at and i.state = 'accepted'
    returning i.title_id
)
select ((select count(*) from extra) + (select count(*) from lost) + (select count(*) from redated))::integer as repaired


-- name: repair_shared_rows
-- Run by reconciliation for people, genres and other shared rows that differ from every response.
select pipeline.repair_shared_rows() as repaired


-- name: batches_with_accepted
-- Run by reconciliation: the batches that have accepted titles, for each media type.
select distinct catalog.media_type(title_id) as media, batch from pipeline.title_ids where state = 'accepted'
order by batch


-- name: responses_after
-- Run by reconciliation: the next stored responses of a batch's accepted films that the parser in use read, by id.
-- Of series, no more than 8 MB of compressed ones at a time, but one.
select r.title_id, pipeline.whole_response(r.title_id, r.body) as body
from (
    select j.*, sum(pipeline.bytes_of_response(j.title_id, j.body)) over (order by j.title_id) as bytes,
        row_number() over (order by j.title_id) as place
    from (
        select i.title_id, r.body
        from pipeline.title_ids i
        join pipeline.title_details r using (title_id)
        where i.batch = :batch and i.state = 'accepted' and i.judged_by = :derivation
          and i.title_id > :after and i.title_id <= catalog.title_id(:media, 999999999)
        order by i.title_id limit :films
    ) j
) r
where r.place = 1 or r.bytes <= 8000000
order by r.title_id


-- name: stored_methods
-- Run by reconciliation: the methods of a media type as they are stored.
select method_version, is_current, says, parameters from catalog.rating_methods where media_type = :media


-- name: stored_scores
-- Run by reconciliation: the scores of a media type as they are stored, to compare with scores computed again.
select method_version, scope, key, films, votes, score, score_low, score_high, source_scores
from catalog.rating_aggregates
where method_version not in (select m.method_version from catalog.rating_methods m where m.media_type <> :media)


-- name: undelivered_alerts
-- Run by the alerts' sensor before a message: the events that a destination has not received, if its next attempt is due.
select t.event, a.alert_id, a.kind, a.place, a.name, a.severity, a.says as message, a.expected, a.figures, a.link,
    a.began_at, a.ended_at, a.ended_how, coalesce(d.last_delivered_at, d.since) as delivered_before
from pipeline.alert_destinations d
cross join pipeline.alerts_to_tell(d.destination, :least_severity, :as_of) t
join pipeline.alerts a using (alert_id)
where d.destination = :destination and d.next_attempt_at <= :as_of
order by t.event = 'recovered', t.event = 'came_and_went', a.severity, a.alert_id


-- name: update_destinations
-- Run by the alerts' sensor: inserts new destinations and deletes those that the settings do not name.
with removed as (
    delete from pipeline.alert_destinations where destination <> all (cast(:destinations as text[]))
)
insert into pipeline.alert_destinations (destination, since, next_attempt_at)
select n, :as_of, :as_of from unnest(cast(:destinations as text[])) n
on conflict do nothing
