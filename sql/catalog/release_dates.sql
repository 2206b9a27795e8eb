-- Applied after the migrations whenever it changes: the dates of releases and episodes, and how calendars follow one that moves.

-- Run by store_related_rows: writes the dates of the movies in related_parts; `stored` are those that the catalogue had before.
-- A date that is no longer there moved to a new date of the same title, country, kind and note, in the order of the dates; it
-- keeps its entry, and its sequence is raised. One without such a date is cancelled; a cancelled entry is used again first.
create or replace function pipeline.store_release_dates(stored bigint[]) returns void
language plpgsql
as $$
declare
    responses text := (select t.query from pipeline.response_tables() t where t.name = 'release_dates');
    removed catalog.release_dates[];
    added catalog.release_dates[];
begin
    if cardinality(stored) > 0 then
        execute format(
            'with incoming as materialized (select q.* from (%s) q where q.title_id = any ($1)),
             known as materialized (select r.* from catalog.release_dates r where r.title_id = any ($1)),
             certified as (
                 update catalog.release_dates r set certification = i.certification
                 from incoming i
                 where (r.title_id, r.country, r.release_type, r.release_date, r.note, r.language)
                         = (i.title_id, i.country, i.release_type, i.release_date, i.note, i.language)
                     and r.certification is distinct from i.certification)
             select
                 (select array_agg(k) from known k where not exists (
                     select from incoming i
                     where (k.title_id, k.country, k.release_type, k.release_date, k.note, k.language)
                             = (i.title_id, i.country, i.release_type, i.release_date, i.note, i.language))),
                 (select array_agg(row(
                      i.title_id, i.country, i.release_type, 0, i.release_date, 0, i.note, i.language, i.certification
                  )::catalog.release_dates)
                  from incoming i where not exists (
                     select from known k
                     where (k.title_id, k.country, k.release_type, k.release_date, k.note, k.language)
                             = (i.title_id, i.country, i.release_type, i.release_date, i.note, i.language)))', responses)
        into removed, added using stored;
        perform pipeline.move_release_dates(removed, added);
    end if;
    execute format(
        'insert into catalog.release_dates (
             title_id, country, release_type, entry, release_date, note, language, certification)
         select q.title_id, q.country, q.release_type,
             row_number() over (
                 partition by q.title_id, q.country, q.release_type, q.note order by q.release_date, q.language),
             q.release_date, q.note, q.language, q.certification
         from (%s) q where q.title_id <> all ($1)', responses) using coalesce(stored, '{}');
end
$$;

-- Replaces some rows of catalog.release_dates by others of the same titles: see store_release_dates.
create or replace function pipeline.move_release_dates(removed catalog.release_dates[], added catalog.release_dates[])
returns void
language plpgsql
as $$
begin
    if removed is null and added is null then
        return;
    end if;
    create temp table if not exists moving_dates (former catalog.release_dates, new catalog.release_dates)
        on commit delete rows;
    truncate moving_dates;
    insert into moving_dates
    with former as (
        select r as whole, r.title_id, r.country, r.release_type, r.note,
            row_number() over (
                partition by r.title_id, r.country, r.release_type, r.note order by r.release_date, r.language) as place
        from unnest(removed) r
    ), new as (
        select a as whole, a.title_id, a.country, a.release_type, a.note,
            row_number() over (
                partition by a.title_id, a.country, a.release_type, a.note order by a.release_date, a.language) as place
        from unnest(added) a
    )
    select f.whole, n.whole from former f full join new n using (title_id, country, release_type, note, place);

    update catalog.release_dates r
    set release_date = (d.new).release_date, language = (d.new).language, certification = (d.new).certification,
        sequence = r.sequence + ((d.new).release_date <> r.release_date)::integer
    from moving_dates d
    where (r.title_id, r.country, r.release_type, r.release_date, r.note, r.language)
            = ((d.former).title_id, (d.former).country, (d.former).release_type, (d.former).release_date, (d.former).note,
               (d.former).language)
        and d.new is distinct from null;

    with cancelled as (
        delete from catalog.release_dates r using moving_dates d
        where (r.title_id, r.country, r.release_type, r.release_date, r.note, r.language)
                = ((d.former).title_id, (d.former).country, (d.former).release_type, (d.former).release_date,
                   (d.former).note, (d.former).language)
            and d.new is not distinct from null
        returning r.*
    )
    insert into catalog.cancelled_releases (
        title_id, country, release_type, entry, release_date, sequence, note, cancelled_at)
    select c.title_id, c.country, c.release_type, c.entry, c.release_date, c.sequence + 1, c.note, now() from cancelled c;

    with fresh as (
        select n.*, row_number() over same_kind as place
        from moving_dates d cross join lateral (select (d.new).*) n
        where d.former is not distinct from null
        window same_kind as (
            partition by n.title_id, n.country, n.release_type, n.note order by n.release_date, n.language)
    ), revived as (
        select c.*, row_number() over (
            partition by c.title_id, c.country, c.release_type, c.note order by c.entry) as place
        from catalog.cancelled_releases c
        where exists (
            select from fresh f
            where (f.title_id, f.country, f.release_type, f.note) = (c.title_id, c.country, c.release_type, c.note))
    ), used_again as (
        delete from catalog.cancelled_releases c using fresh f join revived v using (title_id, country, release_type, note, place)
        where (c.title_id, c.country, c.release_type, c.note, c.entry)
                = (v.title_id, v.country, v.release_type, v.note, v.entry)
    )
    insert into catalog.release_dates (
        title_id, country, release_type, entry, release_date, sequence, note, language, certification)
    select f.title_id, f.country, f.release_type,
        coalesce(v.entry, f.place + greatest(
            (select max(r.entry) from catalog.release_dates r
             where (r.title_id, r.country, r.release_type, r.note) = (f.title_id, f.country, f.release_type, f.note)),
            (select max(c.entry) from catalog.cancelled_releases c
             where (c.title_id, c.country, c.release_type, c.note) = (f.title_id, f.country, f.release_type, f.note)), 0)),
        f.release_date, coalesce(v.sequence + 1, 0), f.note, f.language, f.certification
    from fresh f left join revived v using (title_id, country, release_type, note, place);
end
$$;

-- Notes each episode whose date moved or was taken away, and each one of a series in the catalogue that is no longer there. An
-- episode that has a date again is no longer cancelled. Only rows that a statement changed are read.
create or replace function pipeline.note_moved_episodes() returns trigger
language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        update catalog.moved_episodes m
        set title_id = n.title_id, season_number = n.season_number, episode_number = n.episode_number, name = n.name,
            air_date = n.air_date, sequence = m.sequence + 1, is_cancelled = false, moved_at = now()
        from new_rows n where m.episode_id = n.episode_id and m.is_cancelled and n.air_date is not null;
    elsif tg_op = 'UPDATE' then
        insert into catalog.moved_episodes as m (
            episode_id, title_id, season_number, episode_number, name, air_date, sequence, is_cancelled, moved_at)
        select n.episode_id, n.title_id, n.season_number, n.episode_number, n.name, coalesce(n.air_date, o.air_date), 1,
            n.air_date is null, now()
        from new_rows n join old_rows o using (episode_id)
        where n.air_date is distinct from o.air_date
            and (o.air_date is not null or exists (
                select from catalog.moved_episodes k where k.episode_id = n.episode_id))
        on conflict (episode_id) do update set
            title_id = excluded.title_id, season_number = excluded.season_number,
            episode_number = excluded.episode_number, name = excluded.name, air_date = excluded.air_date,
            sequence = m.sequence + 1, is_cancelled = excluded.is_cancelled, moved_at = excluded.moved_at;
    else
        insert into catalog.moved_episodes as m (
            episode_id, title_id, season_number, episode_number, name, air_date, sequence, is_cancelled, moved_at)
        select o.episode_id, o.title_id, o.season_number, o.episode_number, o.name, o.air_date, 1, true, now()
        from old_rows o join catalog.titles using (title_id)
        where o.air_date is not null
        on conflict (episode_id) do update set
            title_id = excluded.title_id, season_number = excluded.season_number,
            episode_number = excluded.episode_number, name = excluded.name, air_date = excluded.air_date,
            sequence = m.sequence + 1, is_cancelled = true, moved_at = excluded.moved_at;
    end if;
    return null;
end
$$;

create or replace trigger note_added_episodes after insert on catalog.episodes
referencing new table as new_rows for each statement execute function pipeline.note_moved_episodes();
create or replace trigger note_moved_episodes after update on catalog.episodes
referencing old table as old_rows new table as new_rows for each statement execute function pipeline.note_moved_episodes();
create or replace trigger note_deleted_episodes after delete on catalog.episodes
referencing old table as old_rows for each statement execute function pipeline.note_moved_episodes();
