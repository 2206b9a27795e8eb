-- name: alert_mutes
-- Run by `movie-assets alert list`: the names that are muted now.
select name, until from pipeline.alert_mutes where until > :as_of order by name


-- name: list_of_today
-- Run by `movie-assets demo`: the first titles of one of TMDB's lists.
select rank, title, release_date, in_catalogue from catalog.list(:name) where rank <= :most


-- name: cards_in_two_languages
-- Run by `movie-assets demo`: the card of the most voted movie that was not made in English, in English and in its language.
select c.language, k.short_payload, k.facts_etag
from (
    select m.title_id, m.original_language
    from catalog.titles m join catalog.title_stats s using (title_id)
    where m.original_language <> 'en' and m.original_title <> m.title and catalog.media_type(m.title_id) = 'movie'
    order by s.vote_count desc, m.title_id limit 1
) m
cross join lateral unnest(array['en', m.original_language]) c (language)
cross join lateral catalog.cards(array[m.title_id], c.language) k


-- name: episodes_between
-- Run by `movie-assets demo`: the first episode that is aired from one day to another, both included, of each of the most voted
-- series.
select m.title, e.air_date, e.season_number, e.episode_number, e.name
from catalog.titles m
join catalog.title_stats s using (title_id)
cross join lateral (
    select e.* from catalog.episodes e
    where e.title_id = m.title_id and e.air_date between :first and :last and e.season_number > 0
    order by e.air_date, e.season_number, e.episode_number limit 1
) e
order by s.vote_count desc, m.title_id
limit :most


-- name: request_outcomes
-- Run by movie-assets fetch: the state of the requested ids.
select catalog.tmdb_id(q.title_id) as tmdb_id, m.title, m.release_year, i.state, i.reason, q.served_at is not null as is_served,
    catalog.tmdb_id(i.successor_id) as successor_id, catalog.media_type(q.title_id) as media_type
from pipeline.requested_titles q
join pipeline.title_ids i using (title_id)
left join catalog.titles m using (title_id)
where q.title_id = any(:title_ids)
order by q.title_id


-- name: broken_now
-- Run by `movie-assets alert list`: what is broken now, until when it is muted, and the destinations that know about it.
select a.kind, a.place, a.name, a.severity, a.says, a.began_at,
    (select max(m.until) from pipeline.alert_mutes m
     where m.name in (a.name, nullif(a.place, '')) and m.until > :as_of) as muted_until,
    array(select d.destination from pipeline.alert_deliveries d where d.alert_id = a.alert_id order by 1) as receivers
from pipeline.alerts a
where a.ended_at is null
order by a.severity, a.began_at, a.alert_id


-- name: count_vectors
-- Run by the reports: the number of vectors that searches use.
select count(*)::integer as vectors from catalog.movie_vectors


-- name: decide_review
-- Run by movie-assets review: stores a decision (null for none of the candidates) or opens a review again; a trigger applies it.
update pipeline.match_reviews r
set decision = cast(:film as bigint), status = :status
where r.review_id = :review_id


-- name: describe_tables
-- Run by `make docs` and its test: the tables and views with their columns, except the tables of embedding sets.
select c.relnamespace::regnamespace::text || '.' || c.relname as name,
       case when c.relkind in ('v', 'm') then 'view' else 'table' end as kind,
       coalesce(obj_description(c.oid, 'pg_class'), '') as comment,
       jsonb_agg(
           jsonb_strip_nulls(jsonb_build_object(
               'name', a.attname,
               'type', format_type(a.atttypid, a.atttypmod),
               'nullable', case when a.attnotnull then 'no' else 'yes' end,
               'comment', col_description(c.oid, a.attnum)
           )) order by a.attnum
       ) as columns
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace in ('catalog'::regnamespace, 'pipeline'::regnamespace)
  and c.relkind in ('r', 'p', 'v', 'm')
  and not c.relispartition
  and c.relname !~ '^(title|movie)_vectors_\d+$'
group by c.oid, c.relnamespace, c.relname, c.relkind
order by 1


-- name: lock_holder
-- Run by `movie-assets dev` when another one runs on this catalogue: the name of the connection that holds the lock.
select a.application_name
from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.classid = 0 and l.objid = cast(:lock as bigint)::oid
  and l.database = (select d.oid from pg_database d where d.datname = current_database())


-- name: embedding_spending
-- Run by movie-assets status: the cost of embeddings on the day of :as_of (UTC), and the texts in bulk jobs at the service.
select
    d.spent_today::double precision as dollars_today,
    (select count(*) from pipeline.embedding_batch_texts)::integer as texts_in_bulk
from pipeline.embedding_dollars(:as_of, '') d


-- name: find_set
-- Run by movie-assets cost: the number of an embedding set if it exists, also under the former name of its provider.
select set_id from pipeline.embedding_sets
where provider in (:provider, :former_provider) and model = :model and dimensions = :dimensions
  and template = :template
order by provider = :provider desc limit 1


-- name: forget_person
-- Run by movie-assets forget: deletes all that is stored about a person.
select table_name, rows_deleted from pipeline.forget_person(:person) order by table_name


-- name: last_beat
-- Run by `movie-assets alert list`: the time of the last heartbeat.
select max(beat_at) as beat_at from pipeline.heartbeats where name = :name


-- name: mute_alert
-- Run by `movie-assets alert mute`: mutes a name until a time.
insert into pipeline.alert_mutes (name, muted_at, until) values (:name, :as_of, :until)
on conflict (name) do update set muted_at = excluded.muted_at, until = excluded.until


-- name: reviews
-- Run by movie-assets review: one review, or all open ones, those of most people first; is_known is about the id :film.
select r.review_id, r.name, r.candidates, r.status, r.decision, count(distinct e.person)::integer as people, m.title,
    exists (select from jsonb_array_elements(r.candidates) c where (c ->> 'tmdb_id')::bigint = cast(:film as bigint))
        or exists (select from catalog.titles f where f.title_id = cast(:film as bigint))
        or exists (select from pipeline.title_ids i where i.title_id = cast(:film as bigint)) as is_known
from pipeline.match_reviews r
left join catalog.titles m on m.title_id = r.decision
left join pipeline.watch_entries e on e.name_id = r.review_id
where r.review_id = cast(:review_id as bigint) or (cast(:review_id as bigint) is null and r.status = 'open')
group by r.review_id, m.title
order by people desc, r.name


-- name: texts_to_count
-- Run by movie-assets cost: the texts that are due in the set of the settings, or those of all films.
select m.title_id, pipeline.batch_of(m.title_id) as batch, m.text_hash, m.embedding_text
from catalog.titles m
left join pipeline.title_embeddings e on e.set_id = :set_id and e.title_id = m.title_id
where :all_films
   or (e.text_hash is distinct from m.text_hash
       and not exists (
           select from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
           where b.set_id = :set_id and t.text_hash = m.text_hash))
order by m.title_id


-- name: unmute_alert
-- Run by `movie-assets alert unmute`: ends a mute.
delete from pipeline.alert_mutes where name = :name
