-- name: ages
-- Run by movie_details' age check and by health: the ages of stored details, by the age that they may reach.
select
    (extract(epoch from allowed) / 3600)::integer as allowed_hours, films, within, overdue, oldest, median_hours, examples
from pipeline.ages_at(:as_of, cast(:media as text))


-- name: answer_requests
-- Run by movie_details after a chunk was stored: records the outcomes of the requests of applications. A film without a
-- usable response is fetched again later. The third failure (six hours after the first) is an outcome, which is replaced
-- when a later attempt succeeds.
update pipeline.requested_titles q
set served_at = :as_of,
    outcome = case when i.attempts > 0 then 'failed: ' || i.last_error else i.state || coalesce(': ' || i.reason, '') end
from pipeline.title_ids i
where i.title_id = q.title_id and q.title_id = any(:title_ids) and (i.attempts = 0 or i.attempts >= 3)
  and (q.served_at is null or q.outcome like 'failed: %')


-- name: apply_discoveries
-- Run by tmdb_discoveries once the listed films are in incoming_discoveries: applies the lists to ids and films.
select * from pipeline.apply_discoveries(
    :day, cast(:thresholds as integer[]), :as_of, :run_id, cast(:slices as jsonb), cast(:kept_slices as date[]), :media
)


-- name: apply_export
-- Run by movie_ids: applies a day's export to the states of the ids of its media type.
select * from pipeline.apply_export(
    :day, cast(:min_popularities as double precision[]), cast(:ranks as integer[]), cast(:rules as jsonb), :target, :media
)


-- name: batch_contents
-- Run when batches are finished: the number of their films, a hash that changes when a film is added, deleted or has
-- another text, and the number of all films.
select b.batch, c.films, c.content, a.total
from unnest(cast(:batches as integer[])) as b (batch)
cross join lateral (
    select
        count(*)::integer as films,
        md5(coalesce(string_agg(title_id || ':' || text_hash, ',' order by title_id), '')) as content
    from catalog.titles
    where pipeline.batch_of(title_id) = b.batch
      and title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
) c
cross join (
    select count(*)::integer as total from catalog.titles
    where title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
) a


-- name: batch_coverage
-- Run by movie_details' coverage check: for each batch, the ids that no rule rejects before their details are fetched, and
-- how many of them were never fetched, failed at the last attempt, or were accepted and are not in the catalogue.
select
    i.batch,
    count(*) filter (where i.state = 'candidate')::integer as never_fetched,
    count(*) filter (where i.attempts > 0)::integer as failed,
    count(*) filter (where i.state = 'accepted' and m.title_id is null)::integer as without_details,
    count(*)::integer as ids
from pipeline.title_ids i left join catalog.titles m using (title_id)
where i.gone_since is null and i.export_reason is null
  and i.title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
group by i.batch
order by i.batch


-- name: begin_on_day
-- Run by tmdb_export when it begins: records the earliest day that was ever read as the catalogue's first day.
insert into pipeline.first_day as f (day) values (:day)
on conflict (only_row) do update set day = excluded.day where f.day > excluded.day


-- name: change_cursor
-- Run by tmdb_changes: the last day of the change feed that was read before a day; null without one.
select max(change_date) as day from pipeline.title_change_days where media_type = :media and change_date < :day


-- name: catalogue_source
-- Run by tmdb_export: where the newest export of any media type was loaded from.
select source from pipeline.title_exports order by export_date desc, loaded_at desc limit 1


-- name: clear_refusals
-- Run by a step that accepted its inputs: deletes its earlier refusals, except those of subjects that are still refused.
delete from pipeline.refusals where step = :step and not subject = any (cast(:still as text[]))


-- name: compare_export
-- Run by tmdb_export once the lines are in incoming_lines: their median popularity, and the number of ids of the load
-- before that they list too (null when its lines were dropped).
select
    (select percentile_disc(0.5) within group (order by popularity) from incoming_lines) as median_popularity,
    case when exists (
        select from pipeline.exported_titles
        where export_date = :day_before and title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
    ) then (
        select count(*) from pipeline.exported_titles l
        where l.export_date = :day_before and l.title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
          and exists (select from incoming_lines i where i.title_id = l.title_id)
    ) end as kept


-- name: count_episodes
-- Run by series_details' check: the numbers of accepted series, of their seasons and episodes without season 0, of the
-- episodes of season 0, and of seasons that have episodes and were never fetched.
select
    (select count(*) from catalog.broadcasts)::integer as series,
    (select count(*) from catalog.seasons where season_number > 0)::integer as seasons,
    (select count(*) from catalog.episodes where season_number > 0)::integer as episodes,
    (select count(*) from catalog.episodes where season_number = 0)::integer as specials,
    (select count(*) from catalog.seasons s where s.episode_count > 0 and not exists (
        select from pipeline.season_details d
        where d.title_id = s.title_id and d.season_number = s.season_number))::integer as unfetched_seasons


-- name: count_listed
-- Run by tmdb_discoveries when the lists are fresh: the number of films that they have.
select count(*) as films from pipeline.discovered_titles
where title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)


-- name: count_movies
-- Run by checks, assets and the reports: the number of accepted films.
select count(*)::integer as films from catalog.titles


-- name: count_open_ids
-- Run by movie_details for the run log: the number of ids in some batches that no rule rejects before their details are
-- fetched.
select count(*)::integer as ids
from pipeline.title_ids i
where i.gone_since is null and i.export_reason is null and i.batch = any(:batches)
  and i.title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)


-- name: count_titles
-- Run by the age check: the number of accepted titles of a media type.
select count(*)::integer as films from catalog.titles
where title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)


-- name: evaluate
-- Run by tmdb_discoveries and movie_details: evaluates stored responses and listed films by the profiles.
select * from pipeline.evaluate(:day, cast(:profiles as jsonb), :rules, :as_of, :are_lists_new, :media)


-- name: expired_films
-- Run by movie_details' check on TMDB's terms and by health: the numbers of stored responses that are older than six
-- months, and that soon will be, and when the oldest was fetched.
select
    count(*) filter (where fetched_at <= cast(:as_of as timestamptz) - interval '180 days')::integer as expired,
    count(*) filter (where fetched_at <= cast(:as_of as timestamptz) - interval '170 days')::integer as soon,
    min(fetched_at) as oldest
from (select fetched_at from pipeline.title_details union all select fetched_at from pipeline.season_details) r


-- name: export_before
-- Run by tmdb_export: the newest load up to a day, with which a new one is compared.
select export_date, source, lines, median_popularity
from pipeline.title_exports
where media_type = :media and export_date <= :day
order by export_date desc
limit 1


-- name: export_loss
-- Run by movie_ids' check: the known ids that the export of a day lacks, the usual share of them a day, and the number of
-- ids that wait for a later export.
select
    e.url, e.is_accepted, e.unidentified_lines, coalesce(e.is_usual, true) as is_usual,
    coalesce(e.ids_known, 0) as ids_known, coalesce(e.ids_missing, 0) as ids_missing, coalesce(e.days_since, 1) as days_since,
    pipeline.usual_loss(e.export_date, e.media_type) as usual_share,
    (select count(*)::integer from pipeline.title_ids i
     where i.missing_since is not null
       and i.title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)) as held
from pipeline.title_exports e where e.media_type = :media and e.export_date = :day


-- name: films_to_fetch
-- Run by movie_details: the films that are due in some batches for some reasons (an empty list means all), batch by batch.
-- With a limit (room), the less urgent films are deferred. In a run that a person launched (by_hand), failed films do not
-- wait for their next attempt. Without a limit, films that become stale before the next day is read (08:30 UTC) are
-- fetched now, so that a day has one run and not one for each hour at which films become stale. With force, the accepted
-- films are added that are not due; a run that continues another one leaves out films fetched since that one began
-- (forced_since).
with due as (
    select w.title_id, w.batch, w.reason, w.priority, w.fetched_at
    from pipeline.wanted_at(:as_of) w (title_id)
    where not w.parked or :by_hand
    union all
    select w.title_id, w.batch, w.reason, w.priority, w.fetched_at
    from pipeline.wanted_at(
        date_bin('1 day', cast(:as_of as timestamptz), timestamptz '2000-01-01 08:30+00') + interval '1 day') w (title_id)
    where w.reason = 'stale' and cast(:room as bigint) is null
      and not exists (select from pipeline.wanted_at(:as_of) now (title_id) where now.title_id = w.title_id)
), chosen as (
    select d.* from due d
    where d.batch = any(:batches) and d.title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
      and (cardinality(cast(:reasons as text[])) = 0 or d.reason = any(:reasons))
), forced as (
    select i.title_id, i.batch, 'forced', 8::smallint, i.fetched_at
    from pipeline.title_ids i
    where cast(:force as boolean) and i.state = 'accepted' and i.batch = any(:batches)
      and i.title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
      and i.fetched_at < coalesce(cast(:forced_since as timestamptz), 'infinity')
      and not exists (select from chosen c where c.title_id = i.title_id)
), wanted as (
    select a.*, row_number() over (order by a.priority, a.fetched_at nulls first, a.title_id) as place
    from (select * from chosen union all select * from forced) a
)
select title_id, batch, reason, coalesce(place > cast(:room as bigint), false) as is_deferred
from wanted
order by batch, priority, title_id


-- name: forget_films
-- Run by tmdb_export when the emulator serves another world than before: every title of the media type is fetched again.
update pipeline.title_ids
set fetched_at = null, judged_by = null, detail_reason = null, failed_rules = null, unlisted_at = null, attempts = 0,
    next_attempt_at = null, last_error = null
where title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)


-- name: funnel
-- Run by movie_ids and the reports: the numbers of ids that each rule dropped and left, in the order of the rules.
select step, rule, says, dropped, kept, target from pipeline.funnel_of(:media) order by step


-- name: held_ids
-- Run by movie_ids: the first of the ids that the export does not list and that are not deleted, for the run's table.
select tmdb_id, original_title, state, reason from pipeline.ids_without_line
where media_type = :media order by missing_since, title_id limit :most


-- name: id_agreement
-- Run by movie_ids' check: the numbers of export lines without an id, of living ids without a line or a reason for that, and
-- of duplicates.
select
    count(*) filter (where i.title_id is null)::integer as lines_without_id,
    count(*) filter (
        where l.title_id is null and i.gone_since is null and w.title_id is null and not pipeline.may_be_unlisted(i, :day)
    )::integer as ids_without_line,
    (count(*) - count(distinct coalesce(i.title_id, l.title_id)))::integer as duplicates
from (
    select title_id from pipeline.exported_titles
    where export_date = :day and title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
) l
full join (
    select * from pipeline.title_ids
    where title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
) i using (title_id)
left join pipeline.ids_without_line w on w.title_id = i.title_id


-- name: id_states
-- Run by movie_ids and the reports: the number of ids in each state, by reason.
select state, reason, ids from pipeline.id_states_of(:media) order by ids desc


-- name: ids_in_use
-- Run by tmdb_export when it fails: the export that was applied to the ids last, and the number of living ids.
select
    a.export_date,
    (select count(*)::integer from pipeline.title_ids i
     where i.gone_since is null
       and i.title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)) as living
from pipeline.title_ids_as_of a where a.media_type = :media


-- name: ids_without_successor
-- Run by movie_details: deleted ids whose film had an IMDb id and whose successor was never sought.
select i.title_id, o.imdb_id
from pipeline.title_ids i
join pipeline.title_details r using (title_id)
cross join lateral (select coalesce(r.body ->> 'imdb_id', r.body #>> '{external_ids,imdb_id}')) o (imdb_id)
where i.state = 'gone' and i.successor_sought_at is null and o.imdb_id ~ '^tt\d{7,10}$'
  and i.title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
order by i.gone_since desc, i.title_id
limit :most


-- name: is_list_fresh
-- Run by tmdb_discoveries: whether the lists were read so recently that TMDB would return the same again.
select exists (
    select from pipeline.title_discoveries d
    where d.media_type = :media and d.day = :day and d.thresholds = cast(:thresholds as integer[])
      and d.walked_at > cast(:as_of as timestamptz) - interval '8 hours'
      and not exists (
          select from pipeline.title_discoveries later
          where later.media_type = d.media_type and later.walked_at > d.walked_at)
) as is_fresh


-- name: keep_share
-- Run by movie_ids in its transaction: records and returns the number of ids that pass the export's rules, whatever TMDB's
-- lists have of their votes, with the median share of the last 14 exports under the same rules.
with today as (
    update pipeline.title_exports
    set min_popularity = :min_popularity,
        kept_by = :kept_by,
        kept = (select count(*) from pipeline.title_ids
                where title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
                  and gone_since is null and (export_reason is null or not pipeline.is_export_rule(export_reason)))
    where media_type = :media and export_date = :day
    returning kept, lines
)
select
    kept,
    lines,
    (select percentile_cont(0.5) within group (order by e.kept::double precision / e.lines)
     from (select * from pipeline.title_exports
           where media_type = :media and export_date < :day and kept_by = :kept_by and lines > 0
           order by export_date desc limit 14) e) as usual_share
from today


-- name: known_series
-- Run by series_details: what is known of the series of the catalogue among some ids: the seasons and the last and next
-- episode in the stored response, when the episodes of each season were fetched, and the seasons of which an episode may
-- still change: one that was aired since a day, that is still to come, or that has neither date nor runtime.
select
    m.title_id,
    jsonb_build_object(
        'id', r.body -> 'id', 'name', m.title, 'seasons', r.body -> 'seasons',
        'last_episode_to_air', r.body -> 'last_episode_to_air', 'next_episode_to_air', r.body -> 'next_episode_to_air'
    ) as body,
    array(select d.season_number from pipeline.season_details d where d.title_id = m.title_id order by 1) as numbers,
    array(select d.fetched_at from pipeline.season_details d where d.title_id = m.title_id order by d.season_number) as times,
    array(
        select distinct e.season_number from catalog.episodes e
        where e.title_id = m.title_id
          and (e.air_date >= :since or (e.air_date is null and e.runtime_minutes is null))
    ) as moving
from catalog.titles m
join pipeline.title_ids i using (title_id)
join pipeline.title_details r using (title_id)
where m.title_id = any(:title_ids) and i.fetched_at is not null and i.judged_by = :derivation


-- name: last_load
-- Run by tmdb_export's checks: the export that was loaded last, and the day for which it was loaded.
select export_date, coalesce(asked_for, export_date) as asked_for, lines, rejected_lines, newer_is_unusable
from pipeline.title_exports
where media_type = :media
order by loaded_at desc, export_date desc
limit 1


-- name: last_share
-- Run by movie_ids' check: the number of ids that passed the rules of the export that was applied last.
select e.export_date, e.kept, e.lines
from pipeline.title_ids_as_of a
join pipeline.title_exports e using (media_type, export_date)
where a.media_type = :media and e.kept is not null


-- name: lift_discoveries
-- Run by tmdb_discoveries when no profile requires votes, or no film is listed: deletes the lists, so that they reject
-- no id any more.
with lifted as (
    delete from pipeline.discovered_titles
    where title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
), undivided as (
    delete from pipeline.title_list_slices where media_type = :media
)
update pipeline.title_ids set unlisted_at = null
where unlisted_at is not null and title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)


-- name: list_slices
-- Run by tmdb_discoveries: the slices in which the lists were read; none when other numbers of votes are asked for now.
select s.since, s.until, s.unshown, s.walked_at from pipeline.title_list_slices s
where s.media_type = :media and (
    select d.thresholds from pipeline.title_discoveries d
    where d.media_type = s.media_type order by d.walked_at desc limit 1
) = cast(:thresholds as integer[])
order by s.since


-- name: listed_films
-- Run by tmdb_discoveries: the films that the lists had, with their votes when they were last read; is_gone: TMDB has deleted
-- the film since, as its export or a response for it says.
select catalog.tmdb_id(d.title_id) as tmdb_id, d.vote_count, d.slice, coalesce(i.gone_since is not null, false) as is_gone
from pipeline.discovered_titles d left join pipeline.title_ids i using (title_id)
where d.title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)


-- name: mark_gone
-- Run by movie_details for ids whose response is 404: marks them as deleted, and deletes their films from the catalogue.
with gone as (
    update pipeline.title_ids
    set gone_since = cast(:as_of as timestamptz)::date, gone_reason = 'not_found', changed_at = null, unlisted_at = null,
        attempts = 0, next_attempt_at = null, last_error = null
    where title_id = any(:title_ids)
    returning title_id
)
delete from catalog.titles m using gone g where g.title_id = m.title_id


-- name: metadata_rates
-- Run by movie_details' completeness check: the number of well-known films that have each field. Films that are kept on
-- request, whatever the profiles, do not count.
select
    count(*)::integer as films,
    count(nullif(title, ''))::integer as title,
    count(release_year)::integer as release_year,
    count(*) filter (where cardinality(genres) > 0)::integer as genres,
    count(overview)::integer as overview,
    count(original_language)::integer as original_language,
    count(runtime_minutes)::integer as runtime_minutes,
    count(*) filter (where cardinality(directors) > 0)::integer as directors,
    count(*) filter (where cardinality(leading_cast) > 0)::integer as leading_cast,
    count(*) filter (where cardinality(keywords) > 0)::integer as keywords,
    count(certification)::integer as certification,
    count(imdb_id)::integer as imdb_id,
    count(poster_path)::integer as poster_path
from catalog.titles m
join catalog.title_stats s using (title_id)
where s.vote_count >= :min_votes and m.title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
  and not exists (select from pipeline.requested_titles r where r.title_id = m.title_id and r.keep)


-- name: miscounted_series
-- Run by series_details' check: the first 50 numbers of seasons and episodes that differ from TMDB's counts, of a series without
-- season 0 or of one season, with the number of series that have such a difference.
with seasons as (
    select s.title_id, s.season_number, s.episode_count, count(e.episode_id) as episodes
    from catalog.seasons s left join catalog.episodes e using (title_id, season_number)
    group by s.season_id
), series as (
    select b.title_id, b.number_of_seasons, b.number_of_episodes, count(s.title_id) as seasons,
        coalesce(sum(s.episodes), 0) as episodes
    from catalog.broadcasts b left join seasons s on s.title_id = b.title_id and s.season_number > 0
    group by b.title_id
), differing as (
    select title_id, 'seasons' as what, number_of_seasons as counted, seasons as stored from series
    union all
    select title_id, 'episodes', number_of_episodes, episodes from series
    union all
    select title_id, 'episodes of season ' || season_number, episode_count, episodes from seasons
)
select
    d.title_id, m.title, d.what, d.counted, d.stored::integer as stored,
    (select count(distinct o.title_id) from differing o where o.counted <> o.stored)::integer as series
from differing d join catalog.titles m using (title_id)
where d.counted <> d.stored
order by d.title_id, d.what limit 50


-- name: newest_export
-- Run by movie_ids and its checks: the newest loaded export up to a day, and the export that was applied to the ids last.
select
    (select max(export_date) from pipeline.title_exports where media_type = :media and export_date <= :day) as loaded,
    (select export_date from pipeline.title_ids_as_of where media_type = :media) as applied


-- name: overdue_films
-- Run by movie_details' age check: the numbers of accepted films that are due again, by reason, with failed films that wait
-- for their next attempt.
-- Wanted titles are listed once: in the first build no statistics say how many they are.
with wanted as materialized (
    select title_id, reason from pipeline.wanted_at(:as_of) d (title_id)
)
select
    d.reason,
    count(*)::integer as films
from wanted d
join pipeline.title_ids i using (title_id)
where i.state = 'accepted' and i.title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
group by d.reason


-- name: popularity_medians
-- Run by movie_ids' drift check: the median popularity of the last 14 exports up to a day, the newest first.
select export_date, median_popularity, lines from pipeline.title_exports
where media_type = :media and export_date <= :day order by export_date desc limit 14


-- name: purge_expired
-- Run by movie_ids each day: deletes the data that TMDB's terms do not allow to keep longer, and returns the number of films.
select pipeline.purge_expired(:as_of) as films


-- name: record_changes
-- Run by tmdb_changes for each day: marks an id as changed when it is seen in that day's feed for the first time.
with fresh as (
    insert into pipeline.changed_titles (change_date, title_id, seen_at)
    select :change_date, t.title_id, :as_of from unnest(cast(:title_ids as bigint[])) as t (title_id)
    on conflict do nothing
    returning title_id
), marked as (
    update pipeline.title_ids i set changed_at = :as_of
    from fresh f where f.title_id = i.title_id and i.gone_since is null
    returning i.title_id
), day as (
    insert into pipeline.title_change_days (media_type, change_date, ids, read_at)
    values (:media, :change_date, cardinality(cast(:title_ids as bigint[])), :as_of)
    on conflict (media_type, change_date) do update set ids = excluded.ids, read_at = excluded.read_at
), forgotten as (
    delete from pipeline.changed_titles
    where change_date < cast(:change_date as date) - 15
      and title_id between catalog.title_id(:media, 1) and catalog.title_id(:media, 999999999)
)
select (select count(*) from fresh) as fresh, (select count(*) from marked) as marked


-- name: record_export
-- Run by tmdb_export once the lines are in incoming_lines: replaces the day's lines and records the load.
with replaced as materialized (
    select
        pipeline.replace_export_lines(:day, :media) as kept,
        (select percentile_disc(0.5) within group (order by popularity) from incoming_lines) as median
)
insert into pipeline.title_exports as e (
    media_type, export_date, source, url, lines, rejected_lines, duplicate_lines, median_popularity, loaded_at, run_id,
    asked_for, unidentified_lines, unreadable_ids, is_accepted, newer_is_unusable
)
select
    :media, :day, :source, :url, kept, :rejected, :lines - kept, median, now(), :run_id,
    :asked, :unidentified, cast(:unreadable_ids as bigint[]), :is_accepted, :newer_is_unusable
from replaced
on conflict (media_type, export_date) do update set
    source = excluded.source, url = excluded.url, lines = excluded.lines,
    rejected_lines = excluded.rejected_lines, duplicate_lines = excluded.duplicate_lines,
    median_popularity = excluded.median_popularity, loaded_at = excluded.loaded_at, run_id = excluded.run_id,
    asked_for = excluded.asked_for, newer_is_unusable = excluded.newer_is_unusable,
    unidentified_lines = excluded.unidentified_lines, unreadable_ids = excluded.unreadable_ids,
    is_accepted = excluded.is_accepted, ids_known = null, ids_missing = null, days_since = null, is_usual = null
returning lines, duplicate_lines, median_popularity


-- name: record_failures
-- Run by movie_details for ids without a usable response: the next attempt is after 2, 4, 8 … hours, a week at most.
with failed as (
    select * from unnest(
        cast(:title_ids as bigint[]), cast(:reasons as text[]), cast(:samples as text[])
    ) as f (title_id, reason, sample)
), marked as (
    update pipeline.title_ids i
    set attempts = i.attempts + 1,
        next_attempt_at = :as_of + least(interval '7 days', interval '1 hour' * 2 ^ least(i.attempts + 1, 10)),
        last_error = f.reason
    from failed f where f.title_id = i.title_id
)
insert into pipeline.rejects (stage, tmdb_id, reason, sample, run_id, rejected_at)
select :stage, catalog.tmdb_id(title_id), reason, left(sample, 500), :run_id, :as_of from failed


-- name: record_refusal
-- Run by a step that refuses an input: records the refusal, which the step's check reports until an attempt succeeds.
insert into pipeline.refusals (step, subject, reason, run_id, refused_at)
values (:step, :subject, :reason, :run_id, :as_of)
on conflict (step, subject) do update
set reason = excluded.reason, run_id = excluded.run_id, refused_at = excluded.refused_at


-- name: record_rejects
-- Run by tmdb_export and the assets that read files of ratings: records samples of lines that cannot be used.
insert into pipeline.rejects (stage, reason, sample, run_id, rejected_at)
select :stage, f.reason, left(f.sample, 500), :run_id, :as_of
from unnest(cast(:reasons as text[]), cast(:samples as text[])) as f (reason, sample)


-- name: record_stats
-- Run by tmdb_discoveries each day: records the popularity and votes of accepted films, and returns the number of films
-- with other values than before.
select pipeline.record_stats(:day, :media) as films


-- name: record_successors
-- Run by movie_details: records the id that TMDB has for the IMDb id of a deleted film; null when it has none.
with recorded as (
    update pipeline.title_ids i
    set successor_id = s.successor_id, successor_sought_at = :as_of
    from unnest(cast(:title_ids as bigint[]), cast(:successor_ids as bigint[])) as s (title_id, successor_id)
    where s.title_id = i.title_id
    returning i.title_id, i.successor_id
)
insert into catalog.events (title_id, kind, payload)
select title_id, 'merged', jsonb_build_object('into', successor_id) from recorded where successor_id is not null


-- name: record_unknown_keys
-- Run by movie_details with a chunk: counts the keys of responses that the parser does not know.
insert into pipeline.unknown_keys as k (key, first_seen, last_seen, answers)
select left(u.key, 200), :as_of, :as_of, sum(u.responses)
from unnest(cast(:keys as text[]), cast(:responses as bigint[])) as u (key, responses)
group by left(u.key, 200)
on conflict (key) do update set last_seen = excluded.last_seen, answers = k.answers + excluded.answers


-- name: refusals
-- Run by checks: the inputs that a step refused at its last attempt.
select subject, reason, run_id, refused_at from pipeline.refusals where step = :step order by subject


-- name: responses_to_derive
-- Run by movie_details: stored responses of some batches that are to be read again, at most 500 at a time, and no more than
-- 8 MB of compressed ones, but one.
select r.title_id, pipeline.whole_response(r.title_id, r.body) as body
from (
    select j.*, sum(pipeline.bytes_of_response(j.title_id, j.body)) over (order by j.batch, j.title_id) as bytes,
        row_number() over (order by j.batch, j.title_id) as place
    from (
        select j.title_id, j.batch, r.body
        from pipeline.to_judge(:derivation, :as_of, :media) j (title_id)
        join pipeline.title_details r using (title_id)
        where j.batch = any(:batches)
        order by j.batch, j.title_id
        limit 500
    ) j
) r
where r.place = 1 or r.bytes <= 8000000


-- name: room_today
-- Run by movie_details: the number of films that may still be fetched on the day of as_of; null without a limit.
select case when :daily_films > 0 then greatest(0, :daily_films - (
    select count(*) from pipeline.title_details where fetched_at >= date_trunc('day', cast(:as_of as timestamptz))
)) end as films


-- name: stage_discoveries
-- Run by tmdb_discoveries before the listed films are copied in.
create temp table incoming_discoveries (
    title_id bigint primary key, vote_count integer, vote_average double precision, release_date date,
    original_language text, slice date
) on commit drop


-- name: stage_films
-- Run before a chunk of details is copied in: the columns of catalog.titles, and further values of the
-- response. related_rows are the rows around a film, such as its cast. broadcasts are the seasons and episodes of a series,
-- season_bodies the seasons that came with the response, by their numbers. has_offers: the response has a part of offers.
create temp table if not exists incoming_films on commit delete rows as
select
    m.*, cast(null as double precision) as popularity, cast(null as double precision) as vote_average,
    cast(null as integer) as vote_count, cast(null as boolean) as adult, cast(null as boolean) as video,
    cast(null as boolean) as softcore, cast(null as jsonb) as body, cast(null as jsonb) as related_rows,
    cast(null as jsonb) as broadcasts, cast(null as jsonb) as season_bodies, cast(null as boolean) as has_offers
from catalog.titles m
with no data


-- name: stage_lines
-- Run by tmdb_export before the lines are copied in; `line` is the position in the file.
create temp table incoming_lines (
    line bigint, title_id bigint, original_title text, popularity double precision,
    adult boolean, video boolean, softcore boolean
) on commit drop


-- name: store_details
-- Run by movie_details after a chunk was copied into incoming_films: stores the chunk.
select * from pipeline.store_details(:as_of, :derivation, cast(:regions as text[]))
