-- Applied after the migrations whenever it changes: the evaluation of films by the profiles in use.

-- Returns whether a rule is one of the daily export. Other reasons in movie_ids.export_reason come from TMDB's lists.
create or replace function pipeline.is_export_rule(rule text) returns boolean
language sql immutable parallel safe
return rule in ('adult', 'video', 'softcore', 'popularity');

-- Returns the rules in the order in which they are applied. config.filter_profiles.DETAIL_RULES is the same; a test
-- compares them.
create or replace function pipeline.detail_rules() returns text[]
language sql immutable parallel safe
return array[
    'adult', 'video', 'softcore', 'vote_count', 'vote_average', 'release_date', 'runtime', 'language', 'type', 'status'
];

-- Returns the first rule that a title fails on a day, for each profile of its media type that it fails. The reason is
-- null when one profile accepts it, otherwise the latest of these rules. A value that is missing in the details fails a
-- rule that requires it. A value that is missing in a list (is_complete is false) fails none, as the details may have
-- it.
drop function if exists pipeline.evaluate_film;
create function pipeline.evaluate_film(
    day date, is_complete boolean, adult boolean, video boolean, softcore boolean, vote_count integer,
    vote_average double precision, release_date date, runtime_minutes integer, original_language text,
    series_type text default null, series_status text default null, media text default 'movie'
)
returns table (reason text, failed_rules jsonb)
language sql stable
as $$
    select
        case when count(*) = count(r.rule) then
            (pipeline.detail_rules())[max(array_position(pipeline.detail_rules(), r.rule))]
        end,
        jsonb_object_agg(p.name, r.rule) filter (where r.rule is not null)
    from pipeline.title_profiles p
    cross join lateral (
        select case
            when adult then 'adult'
            when video then 'video'
            when softcore then 'softcore'
            when vote_count < p.min_vote_count then 'vote_count'
            when vote_average < p.min_vote_average then 'vote_average'
            when not coalesce(
                (p.released_since is null or release_date >= p.released_since)
                and (p.released_within_days is null or release_date between day - p.released_within_days and day),
                not is_complete) then 'release_date'
            when not coalesce(
                (p.min_runtime = 0 or runtime_minutes >= p.min_runtime)
                and (p.max_runtime is null or runtime_minutes <= p.max_runtime),
                not is_complete) then 'runtime'
            when not coalesce(
                p.languages = '{}' or original_language = any(p.languages), not is_complete) then 'language'
            when not coalesce(p.types = '{}' or series_type = any(p.types), not is_complete) then 'type'
            when not coalesce(p.statuses = '{}' or series_status = any(p.statuses), not is_complete) then 'status'
        end
    ) as r (rule)
    where p.media_type = media
$$;

-- Returns the reason to reject a film; null if it is kept on request, unless it is an adult title or a video.
create or replace function pipeline.unless_kept(reason text, is_kept boolean) returns text
language sql immutable parallel safe
return case when not is_kept or reason in ('adult', 'video', 'softcore') then reason end;

-- Evaluates every stored response and every listed film of a media type for a day; updates only the ids whose outcome
-- changed. Nothing is done when the same profiles were applied for that day already, unless are_lists_new is true. A
-- film that no longer passes is deleted from the catalogue here; a film that passes now is written from its stored
-- response by movie_details.
--
-- TMDB's lists reject an id when the listed values fail every profile, or when the id is not listed although every film
-- with enough votes is. They do not reject accepted films (an accepted film that is no longer listed is due instead, see
-- due.sql), films that came back into the export, films without a release date (no list has them), and kept films.
-- let_in and put_aside are the numbers of ids that the lists no longer reject and newly reject, now_pass and now_fail
-- those whose details newly pass and fail.
drop function if exists pipeline.evaluate(date, jsonb, text, timestamptz, boolean);
create or replace function pipeline.evaluate(
    day date, profiles jsonb, rules text, moment timestamptz, are_lists_new boolean, media text default 'movie'
)
returns table (let_in integer, put_aside integer, now_pass integer, now_fail integer)
language plpgsql
as $$
declare
    first_id bigint := catalog.title_id(media, 1);
    last_id bigint := catalog.title_id(media, 999999999);
    last record;
    today date;
    has_lists boolean;
begin
    lock table pipeline.title_evaluation in share row exclusive mode;
    select * into last from pipeline.title_evaluation e where e.media_type = media;
    today := greatest(day, last.day);
    let_in := 0; put_aside := 0; now_pass := 0; now_fail := 0;
    if last.rules = evaluate.rules and last.day = today and not are_lists_new then
        return next;
        return;
    end if;
    if last.rules is distinct from evaluate.rules then
        delete from pipeline.title_profiles p where p.media_type = media;
        insert into pipeline.title_profiles (
            media_type, name, min_popularity, popularity_rank, min_vote_count, min_vote_average, released_since,
            released_within_days, min_runtime, max_runtime, languages, target, types, statuses
        )
        select media, p.name, p.min_popularity, p.popularity_rank, p.min_vote_count, p.min_vote_average, p.released_since,
            p.released_within_days, p.min_runtime, p.max_runtime, p.languages, p.target,
            coalesce(p.types, '{}'), coalesce(p.statuses, '{}')
        from jsonb_populate_recordset(null::pipeline.title_profiles, evaluate.profiles) p;
        analyze pipeline.title_profiles;
    end if;
    select exists (select from pipeline.discovered_titles d where d.title_id between first_id and last_id) into has_lists;

    with outcomes as (
        select i.title_id, i.detail_reason as reason_before, e.reason, e.failed_rules
        from pipeline.title_rule_inputs n
        join pipeline.title_ids i using (title_id)
        cross join lateral (
            select pipeline.unless_kept(f.reason, i.kept_on_request), f.failed_rules
            from pipeline.evaluate_film(
                today, true, n.adult, n.video, n.softcore, n.vote_count, n.vote_average, n.release_date,
                n.runtime_minutes, n.original_language, n.series_type, n.series_status, media) f
        ) as e (reason, failed_rules)
        where i.fetched_at is not null and i.title_id between first_id and last_id
          and (i.detail_reason, i.failed_rules) is distinct from (e.reason, e.failed_rules)
    ), written as (
        update pipeline.title_ids i set detail_reason = o.reason, failed_rules = o.failed_rules
        from outcomes o where i.title_id = o.title_id
    )
    select count(*) filter (where reason is null and reason_before is not null),
        count(*) filter (where reason is not null and reason_before is null)
    into now_pass, now_fail from outcomes;

    with outcomes as (
        select i.title_id, i.export_reason as reason_before, o.reason,
            case when i.fetched_at is null then o.failed_rules else i.failed_rules end as failed_rules
        from pipeline.title_ids i
        left join pipeline.discovered_titles d using (title_id)
        left join lateral pipeline.evaluate_film(
            today, false, false, false, false, d.vote_count, d.vote_average, d.release_date, null,
            d.original_language, null, null, media) f on d.title_id is not null
        cross join lateral (
            select
                case
                    when not has_lists or i.kept_on_request or (i.fetched_at is not null and i.detail_reason is null)
                        then null
                    when d.title_id is not null then f.reason
                    when case
                        when i.fetched_at is not null then i.release_date is not null
                        else not exists (select from pipeline.title_details r where r.title_id = i.title_id)
                    end then 'vote_count'
                end,
                f.failed_rules
        ) as o (reason, failed_rules)
        where i.gone_since is null and i.title_id between first_id and last_id
          and (i.export_reason is null or not pipeline.is_export_rule(i.export_reason))
          and (
              i.export_reason is distinct from o.reason
              or (i.fetched_at is null and i.failed_rules is distinct from o.failed_rules)
          )
    ), written as (
        update pipeline.title_ids i set export_reason = o.reason, failed_rules = o.failed_rules
        from outcomes o where i.title_id = o.title_id
    )
    select count(*) filter (where reason is null and reason_before is not null),
        count(*) filter (where reason is not null and reason_before is null)
    into let_in, put_aside from outcomes;

    delete from catalog.titles m
    where m.title_id between first_id and last_id
      and not exists (select from pipeline.title_ids i where i.title_id = m.title_id and i.state = 'accepted');

    insert into pipeline.title_evaluation (media_type, rules, day, evaluated_at)
    values (media, evaluate.rules, today, moment)
    on conflict (media_type) do update
    set rules = excluded.rules, day = excluded.day, evaluated_at = excluded.evaluated_at;
    return next;
end
$$;
