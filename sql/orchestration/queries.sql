-- name: count_due
-- Run by the sensor details_are_due: the number of titles that a run would fetch within the day's limit and of stored
-- responses that it would read again (all of them after a change of profiles), and the lowest id of all these. Only titles of
-- the media types that are switched on count; rules has the profiles of each, derivations parser and template.
with media as (
    select * from unnest(cast(:media as text[]), cast(:rules as text[]), cast(:derivations as text[]))
        as m (media_type, rules, derivation)
), due as (
    select count(*) as films, min(title_id) as first_id from pipeline.due_at(:as_of) as t (title_id)
    where catalog.media_type(title_id) = any(cast(:media as text[]))
), stored as (
    select count(*) as responses, min(title_id) as first_id from (
        select t.title_id from media m cross join lateral pipeline.to_judge(m.derivation, :as_of, m.media_type) t (title_id)
        union
        select n.title_id
        from media m
        join pipeline.title_evaluation e on e.media_type = m.media_type and e.rules <> m.rules
        join pipeline.title_rule_inputs n
            on n.title_id between catalog.title_id(m.media_type, 1) and catalog.title_id(m.media_type, 999999999)
    ) s
), day as (
    select case when :daily_films > 0 then greatest(0, :daily_films - (
        select count(*) from pipeline.title_details where fetched_at >= date_trunc('day', cast(:as_of as timestamptz))
    )) end as films
)
select
    (least(due.films, day.films) + stored.responses)::integer as work,
    least(case when day.films is distinct from 0 then due.first_id end, stored.first_id) as first_id,
    null::text as held_by
from due, stored, day


-- name: count_recommendations_due
-- Run by the sensor recommendations_are_due: the number of people whose list is due, plus 1 for a model that is a week old
-- while histories changed, plus 1 for unmatched names in histories while there are films that they were not compared with.
select (
    (select count(*) from pipeline.changed_histories)
    + (select count(distinct p.person)
       from (select distinct person from pipeline.recommendation_lists) p
       cross join unnest(cast(:media as text[])) t (media)
       left join pipeline.recommendation_lists l on l.person = p.person and l.media_type = t.media
       left join pipeline.recommendation_models m on m.is_served and m.media_type = t.media
       where (l.person is null or l.model_id is distinct from m.model_id)
         and not exists (select from pipeline.changed_histories c where c.person = p.person))
    + (select count(*) from pipeline.recommendation_models m
       where m.is_served and m.fitted_at < cast(:as_of as timestamptz) - interval '7 days'
         and m.media_type = any (cast(:media as text[]))
         and exists (
             select from catalog.watched_titles h
             where h.imported_at > m.newest_entry and catalog.media_type(h.title_id) = m.media_type))
    + (select count(*) from (
        select max(l.ended_at) filter (where l.step = 'search_documents' and l.changed > 0) as films_came,
            max(l.started_at) filter (where l.step = 'watch_histories') as compared
        from pipeline.run_log l where l.step in ('search_documents', 'watch_histories') and l.status = 'succeeded'
    ) l
    where l.films_came > coalesce(l.compared, '-infinity')
        and exists (select from pipeline.named_films n where n.film_id is null and n.matched_by is null))
)::integer as work, null::bigint as first_id, null::text as held_by


-- name: count_texts_to_embed
-- Run by the sensor texts_are_not_embedded: the number of due texts without a vector in the set of the settings, their
-- lowest id, and texts of bulk jobs of its service whose state is to be requested: after 2, 4, 8 … minutes, then every half
-- hour. Only the latter while the rest of the day's budget is too small for the largest text.
with money as (
    select :daily_dollars > 0 and spent_today + reserved_today + cast(:least_dollars as numeric) > :daily_dollars as is_spent
    from pipeline.embedding_dollars(:as_of, '')
), due as (
    select count(*) as films, min(m.title_id) as first_id
    from catalog.titles m
    left join pipeline.title_embeddings e on e.set_id = :set_id and e.title_id = m.title_id
    left join pipeline.refused_texts r on r.set_id = :set_id and r.text_hash = m.text_hash
    where e.text_hash is distinct from m.text_hash
      and (r.next_attempt_at is null or r.next_attempt_at <= :as_of)
      and not exists (
          select from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
          where b.set_id = :set_id and t.text_hash = m.text_hash)
), in_flight as (
    select coalesce(sum(b.texts), 0) as texts
    from pipeline.embedding_batches b join pipeline.embedding_sets s using (set_id)
    where b.ended_at is null and s.provider = (select o.provider from pipeline.embedding_sets o where o.set_id = :set_id)
      and cast(:as_of as timestamptz) - coalesce(b.seen_at, b.moment)
          > least(interval '30 minutes', greatest(interval '2 minutes', b.seen_at - b.moment))
)
select
    (case when is_spent then 0 else due.films end + in_flight.texts)::integer as work,
    case when not is_spent then due.first_id end as first_id,
    case when is_spent and due.films > 0 and in_flight.texts = 0 then
        due.films || ' texts wait: what the day may cost (MOVIE_ASSETS_DAILY_DOLLARS) is spent'
    end as held_by
from money, due, in_flight


-- name: count_unpublished
-- Run by the sensor the_catalogue_is_not_published: the number of embedded films whose vector in searches is outdated (all
-- while the set of the settings is not the active one, unless that is held), of vectors without a film, of films with
-- outdated search documents, of votes seen and of other ratings read after the aggregates were computed. 0 while texts
-- wait for their vectors, as another publication would follow. Texts that were rejected, are in a bulk job, or were not
-- embedded within six hours are not awaited: full-text search finds their films.
with wanted as (
    select coalesce((select s.set_id from pipeline.embedding_sets s where s.held_since is not null), :set_id) as set_id
)
select case when exists (
    select from catalog.titles m
    left join pipeline.title_embeddings e on e.set_id = :set_id and e.title_id = m.title_id
    where e.text_hash is distinct from m.text_hash and m.changed_at > cast(:as_of as timestamptz) - interval '6 hours'
      and not exists (select from pipeline.refused_texts r where r.set_id = :set_id and r.text_hash = m.text_hash)
      and not exists (
          select from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
          where b.set_id = :set_id and t.text_hash = m.text_hash)
) then 0 else (
    (select count(*)
     from catalog.titles m
     join pipeline.title_embeddings e
         on e.set_id = (select w.set_id from wanted w) and e.title_id = m.title_id and e.text_hash = m.text_hash
     left join pipeline.searched_texts() v on v.title_id = m.title_id
     where v.text_hash is distinct from m.text_hash
        or e.is_replaced
        or not exists (select from pipeline.embedding_sets s where s.is_active and s.set_id = (select w.set_id from wanted w)))
    + (select count(*) from pipeline.searched_texts() v
       where not exists (select from catalog.titles m where m.title_id = v.title_id))
    + (select count(*) from catalog.titles m
       full join pipeline.title_document_sources d using (title_id)
       where d.source is distinct from
           pipeline.document_source(m.text_hash, m.facts_hash, m.original_title, m.tagline))
    + (select count(*) from catalog.title_stats s
       where s.seen_at > coalesce((select max(computed_at) from catalog.rating_methods), '-infinity'))
    + (select coalesce(sum(l.changed), 0) from pipeline.rating_loads l
       where l.loaded_at > coalesce((select max(computed_at) from catalog.rating_methods), '-infinity'))
) end::integer as work, null::bigint as first_id, null::text as held_by


-- name: count_unread
-- Run by the sensor no_day_was_read_yet: 1 until an export was loaded.
select (not exists (select from pipeline.exports))::integer as work, null::bigint as first_id, null::text as held_by


-- name: count_unread_lists
-- Run by the sensor lists_were_not_read: 1 while an export failed today, no run has read the lists of its media type since the
-- day began, and there are ids of an earlier export.
with today as (
    select r.step, r.status from pipeline.run_log r where r.started_at >= date_trunc('day', cast(:as_of as timestamptz))
)
select exists (
    select from pipeline.title_ids_as_of a
    join jsonb_to_recordset(cast(:media_assets as jsonb))
        as s (media_type text, export text, ids text, lists text) using (media_type)
    where exists (select from today t where t.step in (s.export, s.ids) and t.status = 'failed')
      and not exists (select from today t where t.step = s.lists and t.status = 'succeeded')
)::integer as work, null::bigint as first_id, null::text as held_by


-- name: export_of_day
-- Run by the schedule read_the_day_at_0830: whether the exports of that very day were loaded, for all media types.
select count(*) = cardinality(cast(:media as text[])) as is_loaded
from pipeline.title_exports where export_date = :day and media_type = any(cast(:media as text[]))


-- name: forget_triggers
-- Run by the schedule read_the_day_at_0830: deletes triggers that a release has renamed or removed.
delete from pipeline.triggers where name <> all(cast(:names as text[]))


-- name: pgvector_version
-- Run by movie-assets migrate: the version of pgvector in the database.
select extversion from pg_extension where extname = 'vector'


-- name: record_trigger
-- Run by each sensor and schedule after its decision: written only if the decision differs from the last one.
insert into pipeline.triggers as t (name, job, work, tries, launched_at, given_up_at, says, decided_at)
values (:name, :job, :work, :tries, :launched_at, case when :gave_up then cast(:as_of as timestamptz) end, :says, :as_of)
on conflict (name) do update set
    job = excluded.job, work = excluded.work, tries = excluded.tries, launched_at = excluded.launched_at,
    given_up_at = case when excluded.given_up_at is not null then coalesce(t.given_up_at, excluded.given_up_at) end,
    says = excluded.says, decided_at = excluded.decided_at
where (t.work, t.tries, t.launched_at, t.says) is distinct from
    (excluded.work, excluded.tries, excluded.launched_at, excluded.says)


-- name: runs_without_a_lock
-- Run by the sensor of orphaned runs and by commands: those of the given runs whose lock no process holds.
select given.run_id from unnest(cast(:run_ids as text[])) given (run_id) where not pipeline.run_lives(given.run_id)
