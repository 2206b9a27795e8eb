-- name: accept_texts
-- Run by movie_embeddings with a result chunk: texts that now have a vector are no longer refused.
delete from pipeline.refused_texts where set_id = :set_id and text_hash = any(cast(:text_hashes as text[]))


-- name: activate_set
-- Run by movie_vectors when a set is ready to be searched, and by movie-assets sets use.
select pipeline.activate_set(:set_id, :hold)


-- name: begin_bulk_job
-- Run before a recorded bulk job is sent: the run that sends it, which is charged for it.
update pipeline.embedding_batches
set run_id = :run_id, reservation_id = :reservation_id, moment = :as_of, texts = :texts, tokens = :tokens
where bulk_id = :bulk_id


-- name: build_vector_index
-- Run by movie_vectors, and by movie-assets sets use, after refresh_vectors. With anew, also run by search_quality, when the
-- options of a set's index are old and its searches find too little.
select pipeline.build_vector_index(:set_id, :anew) as built


-- name: bulk_job_files
-- Run by movie_embeddings: files of a provider's bulk jobs that are not needed any more and were not deleted. The service
-- itself deletes them after 30 days.
select b.bulk_id, b.files
from pipeline.embedding_batches b join pipeline.embedding_sets s using (set_id)
where s.provider = :provider and b.files <> '{}'
  and (b.ended_at > now() - interval '30 days' or (b.ended_at is null and b.input_file_id is null))
order by b.bulk_id


-- name: bulk_job_texts
-- Run before a bulk job is collected: its texts that were not collected yet, with the films that have them now.
select
    t.text_hash,
    min(m.embedding_text) as embedding_text,
    coalesce(array_agg(m.title_id order by m.title_id) filter (where m.title_id is not null), '{}') as title_ids,
    coalesce(
        array_agg(pipeline.batch_of(m.title_id) order by m.title_id) filter (where m.title_id is not null), '{}'
    ) as batches
from pipeline.embedding_batch_texts t left join catalog.titles m using (text_hash)
where t.bulk_id = :bulk_id
group by t.text_hash


-- name: bulk_jobs_at_service
-- Run by movie-assets cost, by health and by the check every_text_is_embedded_as_it_stands: bulk jobs of all sets that
-- were not collected to their end, and those that ended within a day in another state than completed.
select
    b.bulk_id, s.model, b.service_id, coalesce(b.service_status, 'not sent') as status, b.texts, b.done, b.failed, b.stored,
    b.moment as sent_at, b.seen_at, b.ended_at, b.problem
from pipeline.embedding_batches b join pipeline.embedding_sets s using (set_id)
where b.ended_at is null
   or (b.ended_at > cast(:as_of as timestamptz) - interval '1 day' and b.service_id is not null
       and b.service_status <> 'completed')
order by b.bulk_id


-- name: bulk_jobs_in_flight
-- Run by movie_embeddings: bulk jobs of a provider that were not collected to their end, of any set; those without a
-- service_id were not created at the service.
select b.bulk_id, b.token, b.set_id, b.run_id, b.reservation_id, b.texts, b.tokens, b.moment as as_of, b.input_file_id,
    b.service_id, s.model, s.dimensions
from pipeline.embedding_batches b join pipeline.embedding_sets s using (set_id)
where b.ended_at is null and s.provider = :provider
order by b.bulk_id


-- name: bulk_queue
-- Run before a bulk job is sent: the limit of tokens that may wait at the service, as far as one of the last week's jobs
-- was refused for it, and the tokens that wait now.
with jobs as (
    select b.* from pipeline.embedding_batches b join pipeline.embedding_sets s using (set_id)
    where s.provider = :provider and s.model = :model
)
select
    (select j.queue_limit from jobs j
     where j.queue_limit is not null and j.seen_at > now() - interval '7 days' order by j.seen_at desc limit 1) as token_limit,
    coalesce(sum(j.tokens), 0)::bigint as tokens, count(*)::integer as jobs
from jobs j where j.ended_at is null and j.service_id is not null


-- name: collect_bulk_job_texts
-- Run by movie_embeddings in the transaction that stores the results of a bulk job's texts, and counts the vectors.
with collected as (
    delete from pipeline.embedding_batch_texts
    where bulk_id = :bulk_id and text_hash = any(cast(:text_hashes as text[]))
)
update pipeline.embedding_batches set stored = stored + :vectors where bulk_id = :bulk_id


-- name: count_movies_of_batches
-- Run by movie_embeddings for the run log: the films in some batches.
select count(*)::integer as films from catalog.titles m where pipeline.batch_of(m.title_id) = any(:batches)


-- name: count_waiting_texts
-- Run by movie_embeddings: the number of texts of a whole set that are due and in no bulk job.
select count(distinct m.text_hash)::integer as texts
from catalog.titles m
left join pipeline.title_embeddings e on e.set_id = :set_id and e.title_id = m.title_id
left join pipeline.refused_texts r on r.set_id = :set_id and r.text_hash = m.text_hash
where e.text_hash is distinct from m.text_hash
  and (r.next_attempt_at is null or r.next_attempt_at <= :as_of)
  and not exists (
      select from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
      where b.set_id = :set_id and t.text_hash = m.text_hash)


-- name: current_set
-- Run by movie_embeddings, movie_vectors and sensors before ensure_set: the number of an embedding set under the current name
-- of its provider.
select set_id from pipeline.embedding_sets
where provider = :provider and model = :model and dimensions = :dimensions and template = :template


-- name: damaged_vectors
-- Run by movie_embeddings' checks: batches with vectors of another width, or without a usable length.
select
    e.batch,
    count(*) filter (where e.dimensions <> s.dimensions)::integer as wrong_width,
    count(*) filter (where e.length not between 0.99 and 1.01)::integer as wrong_length
from pipeline.title_embeddings e join pipeline.embedding_sets s using (set_id)
where e.set_id = :set_id
  and (e.dimensions <> s.dimensions or e.length not between 0.99 and 1.01)
group by e.batch
order by e.batch


-- name: defer_bulk_job
-- Run when a recorded bulk job cannot be sent now, or was refused as too many tokens wait at the service: its texts stay in
-- it until a later run sends it.
update pipeline.embedding_batches
set service_status = 'waiting', seen_at = now(), service_id = null, input_file_id = null, token = :token,
    reservation_id = null, queue_limit = coalesce(:queue_limit, queue_limit), problem = coalesce(:problem, problem)
where bulk_id = :bulk_id


-- name: delete_bulk_job_texts
-- Run when a bulk job has ended, in the transaction of end_bulk_job: its texts without a result are due again.
delete from pipeline.embedding_batch_texts where bulk_id = :bulk_id


-- name: delete_bulk_job_texts_without_movie
-- Run before a recorded bulk job is sent: texts that no film has any more are not sent.
delete from pipeline.embedding_batch_texts t
where t.bulk_id = :bulk_id and not exists (select from catalog.titles m where m.text_hash = t.text_hash)


-- name: drop_damaged_vectors
-- Run by movie_embeddings first: deletes damaged vectors of its batches, so that they are made again.
delete from pipeline.title_embeddings e using pipeline.embedding_sets s
where s.set_id = :set_id and e.set_id = s.set_id and e.batch = any(:batches)
  and (e.dimensions <> s.dimensions or e.length not between 0.99 and 1.01)


-- name: embedded_contents
-- Run when batches of embeddings are finished: the number of films with a vector, a hash of their texts for the batch's
-- data version, and the number of films with a vector in the whole set.
select b.batch, c.films, c.content, a.total
from unnest(cast(:batches as integer[])) as b (batch)
cross join lateral (
    select
        count(*)::integer as films,
        md5(coalesce(string_agg(e.title_id || ':' || e.text_hash, ',' order by e.title_id), '')) as content
    from pipeline.title_embeddings e join catalog.titles m using (title_id)
    where e.set_id = :set_id and e.batch = b.batch
) c
cross join (
    select count(*)::integer as total
    from pipeline.title_embeddings e join catalog.titles m using (title_id) where e.set_id = :set_id
) a


-- name: embedding_dollars
-- Run by movie_embeddings: US dollars that the day (UTC) of a time and a run have spent on embeddings, and reserved.
select
    spent_today::double precision as spent_today, reserved_today::double precision as reserved_today,
    spent_by_run::double precision as spent_by_run, reserved_by_run::double precision as reserved_by_run
from pipeline.embedding_dollars(:as_of, :run_id)


-- name: embedding_history
-- Run before a cost forecast: tokens that a set's service charged for texts whose bytes were counted.
select
    coalesce(sum(texts), 0)::bigint as texts, coalesce(sum(tokens), 0)::bigint as tokens,
    coalesce(sum(text_bytes), 0)::bigint as text_bytes
from pipeline.embedding_costs
where set_id = :set_id and text_bytes > 0 and tokens > 0


-- name: embedding_progress
-- Run by movie-assets sets and movie_vectors: every embedding set, with the films that it covers and its cost.
select
    set_id, provider, model, dimensions, template, state, films, films_embedded, tokens, dollars, created_at, activated_at,
    retired_at
from pipeline.embedding_progress order by set_id


-- name: end_bulk_job
-- Run when all results of a bulk job are stored, or when the job was never created.
update pipeline.embedding_batches
set ended_at = now(), service_status = :service_status, problem = coalesce(:problem, problem)
where bulk_id = :bulk_id


-- name: ensure_set
-- Run by movie_embeddings, movie_vectors and sensors if there is no current_set: the number of an embedding set, which is
-- inserted if it is new. An insert with a conflict would still use up a number of the sequence. Sets of earlier releases,
-- whose provider has the host only, get the provider's current name, so that nothing is embedded again.
with found as (
    select set_id from pipeline.embedding_sets
    where provider in (:provider, :former_provider) and model = :model and dimensions = :dimensions
      and template = :template
    order by provider = :provider desc limit 1
), renamed as (
    update pipeline.embedding_sets s set provider = :provider
    where s.provider = :former_provider and :former_provider <> :provider
      and not exists (
          select from pipeline.embedding_sets o
          where o.provider = :provider and (o.model, o.dimensions, o.template) = (s.model, s.dimensions, s.template))
), made as (
    insert into pipeline.embedding_sets (provider, model, dimensions, template)
    select :provider, :model, :dimensions, :template
    where not exists (select from found)
    on conflict (provider, model, dimensions, template) do update set provider = excluded.provider  -- made meanwhile
    returning set_id
)
select set_id from found union all select set_id from made


-- name: forget_reservations
-- Run by movie_embeddings first: deletes reservations of killed runs, which count for their day only.
delete from pipeline.embedding_reservations r
where r.reserved_at < cast(:as_of as timestamptz) - interval '3 days'
  and not exists (select from pipeline.embedding_batches b where b.reservation_id = r.reservation_id and b.ended_at is null)


-- name: fruitless_bulk_runs
-- Run by movie_embeddings before the policy sends a bulk job: the runs of the last day whose jobs ended without a vector
-- after the last job that brought one, and what the service reported last.
with ended as (
    select * from pipeline.embedding_batches b
    where b.set_id = :set_id and b.ended_at is not null and b.service_id is not null
      and b.moment > cast(:as_of as timestamptz) - interval '1 day'
)
select
    count(distinct e.run_id)::integer as runs,
    (array_agg(concat_ws(': ', e.service_status, e.problem) order by e.bulk_id desc))[1] as problem
from ended e
where e.stored = 0 and e.bulk_id > coalesce((select max(g.bulk_id) from ended g where g.stored > 0), 0)


-- name: insert_bulk_job
-- Run before anything of a bulk job is sent to the service, so that a run after a kill can ask for the job by its token.
insert into pipeline.embedding_batches (token, set_id, run_id, reservation_id, texts, tokens, moment)
values (:token, :set_id, :run_id, :reservation_id, :texts, :tokens, :as_of)
returning bulk_id


-- name: insert_bulk_job_texts
-- Run with insert_bulk_job, in its transaction: from then on no run sends these texts.
insert into pipeline.embedding_batch_texts (bulk_id, text_hash)
select :bulk_id, unnest(cast(:text_hashes as text[]))


-- name: lift_time_limit
-- Run before an index is built: statements of this transaction may take as long as they need. The graph of a million films
-- takes longer than the 15 minutes that other statements may.
select set_config('statement_timeout', '0', true)


-- name: lock_spending
-- Run before reserve_spending, in its transaction: one reservation at a time, so that two cannot exceed a budget.
select pg_advisory_xact_lock(1836016244)


-- name: lower_reservation
-- Run with the cost of a part of a bulk job, in its transaction: so much of the reservation is spent now.
update pipeline.embedding_reservations
set dollars = greatest(0, dollars - cast(:dollars as numeric))
where reservation_id = :reservation_id


-- name: models_that_answered
-- Run by the checks of movie_embeddings: the model's name in the service's responses for the first vectors of a set, and
-- in those of the last run.
select s.answered_by as begun_by, o.answered_by
from pipeline.embedding_sets s left join pipeline.embedding_outcomes o using (set_id)
where s.set_id = :set_id


-- name: record_bulk_job_file
-- Run when a bulk job's file is at the service, before the job is created.
update pipeline.embedding_batches
set input_file_id = :input_file_id, files = files || cast(:input_file_id as text)
where bulk_id = :bulk_id


-- name: record_bulk_job_files
-- Run when files of a bulk job were deleted at the service: those that are left.
update pipeline.embedding_batches set files = cast(:files as text[]) where bulk_id = :bulk_id


-- name: record_bulk_job_state
-- Run when the service returned the state of a bulk job.
update pipeline.embedding_batches
set service_id = :service_id, service_status = :service_status, seen_at = now(), done = :done, failed = :failed,
    problem = coalesce(:problem, problem),
    files = files || array(select f from unnest(cast(:files as text[])) f where f <> all(files))
where bulk_id = :bulk_id


-- name: record_cost
-- Run by movie_embeddings with each result chunk, in its transaction: its cost.
insert into pipeline.embedding_costs (set_id, run_id, texts, tokens, dollars, spent_at, is_bulk, text_bytes)
values (:set_id, :run_id, :texts, :tokens, :dollars, :as_of, :is_bulk, :text_bytes)


-- name: record_embedding_outcome
-- Run by movie_embeddings at its end: the outcome of the run for its set; a run without any result leaves the outcome as
-- it is. A set keeps the model's name of its first vectors until a run with another name has replaced every vector.
with named as (
    select cast(:models as text[]) as names, (cast(:models as text[]))[cardinality(cast(:models as text[]))] as newest
), ended as (
    update pipeline.embedding_sets s
    set last_run_at = now(),
        answered_by = case
            when s.answered_by is null then n.names[1]
            when cardinality(n.names) = 1 and n.newest <> s.answered_by and not exists (
                select from pipeline.title_embeddings e where e.set_id = s.set_id and e.embedded_at < :as_of)
            then n.newest
            else s.answered_by
        end
    from named n
    where s.set_id = :set_id
), results as (
    select
        cast(:embedded as integer) as embedded,
        cast(:refused as integer) as refused,
        cast(:problem as text) as problem,
        (
            select count(distinct t.text_hash)
            from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
            where b.set_id = :set_id and t.text_hash = any(cast(:text_hashes as text[]))
        )::integer as in_flight
)
insert into pipeline.embedding_outcomes
    (set_id, run_id, texts, embedded, refused, in_flight, problem, ended_at, answered_by)
select
    :set_id, :run_id, cardinality(cast(:text_hashes as text[])), m.embedded, m.refused, m.in_flight, m.problem, now(),
    n.newest
from results m, named n
where cardinality(cast(:text_hashes as text[])) > 0
  and (m.embedded + m.refused + m.in_flight > 0 or m.problem is not null)
on conflict (set_id) do update set
    run_id = excluded.run_id, texts = excluded.texts, embedded = excluded.embedded, refused = excluded.refused,
    in_flight = excluded.in_flight, problem = excluded.problem, ended_at = excluded.ended_at,
    answered_by = coalesce(excluded.answered_by, embedding_outcomes.answered_by)


-- name: record_text_rejects
-- Run by movie_embeddings with a result chunk that has rejected texts, in its transaction.
insert into pipeline.rejects (stage, tmdb_id, reason, sample, run_id, rejected_at)
select 'movie_embeddings', f.title_id, f.reason, left(f.sample, 500), :run_id, :as_of
from unnest(cast(:title_ids as bigint[]), cast(:reasons as text[]), cast(:samples as text[])) as f (title_id, reason, sample)


-- name: refresh_vectors
-- Run by movie_vectors, and by movie-assets sets use: updates the searchable rows of a set.
select * from pipeline.refresh_vectors(:set_id)


-- name: refuse_texts
-- Run by movie_embeddings with a result chunk that has rejected texts: they are tried again after 2, 4, 8 … hours, a week
-- at most.
insert into pipeline.refused_texts as r (set_id, text_hash, reason, attempts, next_attempt_at)
select :set_id, f.text_hash, f.reason, 1, cast(:as_of as timestamptz) + interval '2 hours'
from unnest(cast(:text_hashes as text[]), cast(:reasons as text[])) as f (text_hash, reason)
on conflict (set_id, text_hash) do update set
    reason = excluded.reason,
    attempts = least(r.attempts + 1, 1000),
    next_attempt_at = cast(:as_of as timestamptz) + least(interval '1 hour' * 2 ^ least(r.attempts + 1, 10), interval '7 days')


-- name: release_reservation
-- Run when a request's cost is recorded, or when nothing was charged for it.
delete from pipeline.embedding_reservations where reservation_id = :reservation_id


-- name: reserve_spending
-- Run before a request is sent: reserves its highest possible cost, unless the run's or the day's budget is too small.
insert into pipeline.embedding_reservations (set_id, run_id, tokens, dollars, reserved_at)
select :set_id, :run_id, :tokens, :dollars, :as_of
from pipeline.embedding_dollars(:as_of, :run_id) d
where (:run_dollars = 0 or d.spent_by_run + d.reserved_by_run + cast(:dollars as numeric) <= :run_dollars)
  and (:daily_dollars = 0 or d.spent_today + d.reserved_today + cast(:dollars as numeric) <= :daily_dollars)
returning reservation_id


-- name: set_by_id
-- Run by movie-assets sets use: a set, the number of films, and whether the set's table exists.
select
    p.provider, p.model, p.dimensions, p.films,
    to_regclass('catalog.title_vectors_' || p.set_id) is not null as is_searchable
from pipeline.embedding_progress p where p.set_id = :set_id


-- name: stage_embeddings
-- Run before a chunk of vectors is copied in.
create temp table if not exists incoming_embeddings (
    title_id bigint, text_hash text, embedding vector, is_cut boolean
) on commit delete rows


-- name: stale_vectors
-- Run by movie_embeddings' check: films whose text, hashed again here, is not the one that was embedded. Counted apart
-- are texts that are in a bulk job, that were refused and are tried again later, and that came into one of the run's
-- batches after the run had read its list of texts, from a run that fetched at the same time.
select
    pipeline.batch_of(m.title_id) as batch,
    count(*) filter (where not (w.is_in_flight or w.is_refused or w.came_later))::integer as films,
    count(*) filter (where w.is_in_flight)::integer as in_flight,
    count(*) filter (where w.is_refused and not w.is_in_flight)::integer as refused,
    count(*) filter (where w.came_later and not (w.is_in_flight or w.is_refused))::integer as came_later
from catalog.titles m
left join pipeline.title_embeddings e on e.set_id = :set_id and e.title_id = m.title_id
cross join (
    select exists (
        select from pipeline.run_log r
        where r.step like '%\_details' and coalesce(r.ended_at, 'infinity') > (
            select min(e.started_at) from pipeline.run_log e where e.run_id = :run_id)) as is_fetching
) f
cross join lateral (
    select encode(sha256(convert_to(
        pipeline.template_of(m.title_id, :template) || E'\n' || m.embedding_text, 'UTF8')), 'hex') as text_hash
) h
cross join lateral (
    select
        pipeline.batch_of(m.title_id) = any(:batches) and m.text_hash = h.text_hash
            and m.text_hash not in (select p.text_hash from unnest(cast(:planned as text[])) p (text_hash))
            and f.is_fetching as came_later,
        exists (
            select from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
            where b.set_id = :set_id and t.text_hash = m.text_hash) as is_in_flight,
        exists (
            select from pipeline.refused_texts r
            where r.set_id = :set_id and r.text_hash = m.text_hash and r.next_attempt_at > :as_of) as is_refused
) w
where e.text_hash is distinct from h.text_hash
group by 1
order by 1


-- name: store_embeddings
-- Run by movie_embeddings after a chunk was copied in: a film whose text changed meanwhile is left for the next run. The
-- films are looked up one by one (limit 1), as the planner has no statistics of the staging table and would read all films.
insert into pipeline.title_embeddings as e (set_id, title_id, text_hash, embedding, embedded_at, is_cut)
select :set_id, i.title_id, i.text_hash, i.embedding, :as_of, coalesce(i.is_cut, false)
from incoming_embeddings i
join lateral (select m.text_hash from catalog.titles m where m.title_id = i.title_id limit 1) m
    on m.text_hash = i.text_hash
order by i.title_id
on conflict (set_id, title_id) do update set
    text_hash = excluded.text_hash, embedding = excluded.embedding, embedded_at = excluded.embedded_at,
    is_cut = excluded.is_cut,
    is_replaced = e.is_replaced or (e.text_hash = excluded.text_hash and e.embedding <> excluded.embedding)


-- name: texts_in_flight
-- Run by movie_embeddings: texts of a set that are in bulk jobs.
select t.text_hash
from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
where b.set_id = :set_id


-- name: texts_to_embed
-- Run by movie_embeddings: films whose text is not the one that was embedded, without texts that the service refused
-- recently (a run that a person launched includes them). Texts in a bulk job are marked, as they are not sent again. With
-- force, every text that was last embedded before the run which this one repeats.
select
    m.title_id, pipeline.batch_of(m.title_id) as batch, m.text_hash, m.embedding_text,
    exists (
        select from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
        where b.set_id = :set_id and t.text_hash = m.text_hash
    ) as is_in_flight,
    e.text_hash is not distinct from m.text_hash as is_forced
from catalog.titles m
left join pipeline.title_embeddings e on e.set_id = :set_id and e.title_id = m.title_id
left join pipeline.refused_texts r on r.set_id = :set_id and r.text_hash = m.text_hash
where pipeline.batch_of(m.title_id) = any(:batches)
  and (e.text_hash is distinct from m.text_hash
       or (cast(:force as boolean) and e.embedded_at < coalesce(cast(:forced_since as timestamptz), 'infinity')))
  and (:by_hand or r.next_attempt_at is null or r.next_attempt_at <= :as_of)
order by batch, m.title_id
