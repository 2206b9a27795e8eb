-- Applied after the migrations whenever it changes: applies a day's export to the states of the ids.

-- Returns whether an id may be alive although an export does not list it: an application waits for it, or TMDB returned
-- its details after the export was written (at 08:00 UTC).
create or replace function pipeline.may_be_unlisted(id pipeline.title_ids, export_date date) returns boolean
language sql stable
return coalesce((id).fetched_at >= export_date + interval '8 hours', false) or exists (
    select from pipeline.requested_titles q where q.title_id = (id).title_id and q.served_at is null);

-- Applies the export of a day to the ids of its media type; only ids whose state changes are updated. An id that left
-- the export is gone until it is listed again. An id whose response was 404 can stay listed for a while; it is fetched
-- again when it was unlisted meanwhile, or after 30 days. min_popularities and ranks have an entry for each profile (a
-- rank can be null); the details of an id are wanted when it passes those of one profile.
--
-- A missing id is deleted at once only from a usual export: one that lacks about as many ids as the last loads did, and
-- whose lines all show their ids. Otherwise it is held (missing_since), and deleted when an export of a later day lacks
-- it too. An export that a person accepted deletes at once. An id whose line could not be read is not missing.
-- gone and held are the numbers of ids that are deleted and held, verdicts_changed that of ids with another reason or title.
drop function if exists pipeline.apply_export(date, double precision);
drop function if exists pipeline.apply_export(date, double precision[], integer[], jsonb, integer);
drop function if exists pipeline.apply_export(date, double precision[], integer[], jsonb, integer, text);
create function pipeline.apply_export(
    day date, min_popularities double precision[], ranks integer[], rules jsonb, target integer, media text default 'movie'
)
returns table (
    new integer, gone integer, held integer, returned integer, verdicts_changed integer, min_popularity double precision
)
language plpgsql
as $$
declare
    first_id bigint := catalog.title_id(media, 1);
    last_id bigint := catalog.title_id(media, 999999999);
    is_certain boolean;
    is_usual boolean;
begin
    select min(greatest(
        p.least,
        case when p.rank is not null then coalesce((
            select l.popularity from pipeline.exported_titles l
            where l.export_date = day and l.title_id between first_id and last_id
              and not (l.adult or l.video or l.softcore)
            order by l.popularity desc offset p.rank - 1 limit 1
        ), 0) else 0 end
    ))
    into min_popularity
    from unnest(min_popularities, ranks) as p (least, rank);

    create temp table outcomes on commit drop as
    select
        l.title_id,
        l.original_title,
        case
            when l.adult then 'adult'
            when l.video then 'video'
            when l.softcore then 'softcore'
            when l.popularity < apply_export.min_popularity and not coalesce(i.kept_on_request, false) then 'popularity'
            -- The lists rejected the id (see eligibility.sql), and only they can accept it again.
            when not pipeline.is_export_rule(i.export_reason) then i.export_reason
        end as reason
    from pipeline.exported_titles l left join pipeline.title_ids i using (title_id)
    where l.export_date = day and l.title_id between first_id and last_id;
    create index on outcomes (title_id);
    analyze outcomes;

    create temp table missing on commit drop as
    select i.title_id, i.gone_since is null and coalesce(i.missing_since, day) >= day as is_new
    from pipeline.title_ids i
    where i.title_id between first_id and last_id
      and i.gone_reason is distinct from 'left_export' and not pipeline.may_be_unlisted(i, day)
      and not exists (select from outcomes v where v.title_id = i.title_id)
      and not exists (
          select from pipeline.title_exports e, unnest(e.unreadable_ids) u (title_id)
          where e.media_type = media and e.export_date = day and u.title_id = i.title_id);
    create index on missing (title_id);
    analyze missing;
    select l.is_certain, l.is_usual into is_certain, is_usual
    from pipeline.evaluate_loss(
        day,
        (select count(*)::integer from pipeline.title_ids i
         where i.gone_since is null and i.title_id between first_id and last_id),
        (select count(*)::integer from missing m where m.is_new), media) l;

    if is_certain then
        update pipeline.title_exports e
        set ids_confirmed = e.ids_confirmed + h.ids
        from (
            select i.missing_since, count(*)::integer as ids
            from pipeline.title_ids i join missing m using (title_id)
            where i.gone_since is null and i.missing_since < day
            group by i.missing_since
        ) h
        where e.media_type = media and e.export_date = h.missing_since;
    end if;

    update pipeline.title_ids i
    set gone_since = coalesce(i.gone_since, day), gone_reason = 'left_export', changed_at = null, missing_since = null
    from missing m
    where m.title_id = i.title_id and (i.gone_since is not null or (is_certain and (is_usual or not m.is_new)));
    get diagnostics gone = row_count;

    update pipeline.title_ids i
    set missing_since = day
    from missing m
    where m.title_id = i.title_id and i.gone_since is null and i.missing_since is null;
    update pipeline.title_ids i
    set missing_since = null
    where i.missing_since is not null and i.title_id between first_id and last_id
      and not exists (select from missing m where m.title_id = i.title_id);
    select count(*) into held from pipeline.title_ids i
    where i.missing_since is not null and i.title_id between first_id and last_id;

    update pipeline.title_ids i
    set gone_since = null, gone_reason = null, fetched_at = null, judged_by = null, unlisted_at = null,
        attempts = 0, next_attempt_at = null, last_error = null
    from outcomes v
    where v.title_id = i.title_id
      and (i.gone_reason = 'left_export' or (i.gone_reason = 'not_found' and i.gone_since <= day - 30));
    get diagnostics returned = row_count;

    update pipeline.title_ids i
    set export_reason = v.reason, original_title = v.original_title
    from outcomes v
    where v.title_id = i.title_id
      and (i.export_reason is distinct from v.reason or i.original_title <> v.original_title);
    get diagnostics verdicts_changed = row_count;

    insert into pipeline.title_ids (title_id, original_title, first_seen, export_reason)
    select v.title_id, v.original_title, day, v.reason
    from outcomes v
    where not exists (select from pipeline.title_ids i where i.title_id = v.title_id);
    get diagnostics new = row_count;
    insert into pipeline.title_ids (title_id, original_title, first_seen)
    select q.title_id, '', day from pipeline.requested_titles q
    where q.served_at is null and q.title_id between first_id and last_id
    on conflict do nothing;

    insert into pipeline.title_ids_as_of (media_type, export_date, min_popularity, rules, target)
    values (media, day, apply_export.min_popularity, apply_export.rules, apply_export.target)
    on conflict (media_type) do update
    set export_date = excluded.export_date, min_popularity = excluded.min_popularity,
        rules = excluded.rules, target = excluded.target;

    delete from catalog.titles m
    where m.title_id between first_id and last_id
      and not exists (select from pipeline.title_ids i where i.title_id = m.title_id and i.state = 'accepted');

    update catalog.title_stats s
    set popularity = l.popularity
    from pipeline.exported_titles l
    where l.export_date = day and l.title_id between first_id and last_id and l.title_id = s.title_id
      and s.popularity <> l.popularity;

    return next;
end
$$;

-- Records how many ids an export is the first to lack, and returns whether missing ids can be deleted: is_usual is true when
-- they are about as many as in the last loads, is_certain when each line of the export shows its id.
drop function if exists pipeline.judge_loss(date, integer, integer);  -- its former name
drop function if exists pipeline.evaluate_loss(date, integer, integer);
create or replace function pipeline.evaluate_loss(
    day date, known integer, missing integer, media text, out is_certain boolean, out is_usual boolean
)
language plpgsql
as $$
declare
    min_ids constant integer := 3; -- a small catalogue loses one or two at times
    min_share constant double precision := 0.001; -- a day; TMDB loses about 0.0002
    factor constant double precision := 5; -- times the usual share
    load pipeline.title_exports;
    days integer;
begin
    select * into load from pipeline.title_exports e where e.media_type = media and e.export_date = day;
    if not found then
        is_certain := false;
        is_usual := false;
        return;
    end if;
    days := coalesce(
        day - (select max(e.export_date) from pipeline.title_exports e
               where e.media_type = media and e.export_date < day and e.ids_known is not null), 1);
    is_certain := load.is_accepted or load.unidentified_lines = 0;
    is_usual := load.is_accepted
        or missing <= greatest(min_ids, ceil(known * days * greatest(min_share, factor * pipeline.usual_loss(day, media))));
    update pipeline.title_exports e
    set ids_known = known, ids_missing = missing, days_since = days, is_usual = evaluate_loss.is_usual
    where e.media_type = media and e.export_date = day and (e.ids_known is null or e.ids_missing < missing);
end
$$;

-- Returns the share of its known ids that an export usually lacks, for each day since the export before. It is the third
-- highest share of the last seven loads, so that one or two outliers change nothing; 0 while there are fewer than three.
-- Of an unusual load, only the ids count that a later export confirmed. Loads without any, and loads that a person accepted,
-- are left out.
drop function if exists pipeline.usual_loss(date);
create or replace function pipeline.usual_loss(day date, media text default 'movie') returns double precision
language sql stable
as $$
    select coalesce((
        select e.share
        from (
            select (case when is_usual then ids_missing else ids_confirmed end)::double precision / ids_known / days_since
                as share
            from pipeline.title_exports
            where media_type = media and export_date < day and (is_usual or ids_confirmed > 0) and not is_accepted and ids_known > 0
            order by export_date desc limit 7
        ) e
        order by e.share desc offset 2 limit 1
    ), 0)
$$;

-- The living ids that the export in use does not list, with the reason why they were not deleted.
create or replace view pipeline.ids_without_line as
select
    catalog.tmdb_id(i.title_id) as tmdb_id, i.original_title, i.state, i.missing_since,
    'missing since the export of ' || i.missing_since || '; it is deleted when the export of a later day lacks it too'
        as reason,
    catalog.media_type(i.title_id) as media_type, i.title_id
from pipeline.title_ids i
where i.missing_since is not null and i.gone_since is null
union all
select
    catalog.tmdb_id(i.title_id), i.original_title, i.state, null,
    'its line in the export of ' || e.export_date || ' could not be read', e.media_type, i.title_id
from pipeline.title_ids_as_of a
join pipeline.title_exports e using (media_type, export_date)
cross join unnest(e.unreadable_ids) u (title_id)
join pipeline.title_ids i on i.title_id = u.title_id and i.gone_since is null
where not exists (
    select from pipeline.exported_titles l where l.export_date = a.export_date and l.title_id = i.title_id);
comment on view pipeline.ids_without_line is 'a living id that the export in use does not list';
comment on column pipeline.ids_without_line.reason is 'why the id was not deleted';
