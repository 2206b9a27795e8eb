-- Applied after the migrations whenever it changes: writes catalog.events, each event in the transaction of its change.

-- The columns of catalog.titles whose changes make no event: the key, what is derived from other columns, and when they were
-- written.
create or replace function pipeline.columns_without_events() returns text[]
language sql immutable parallel safe
return '{title_id,embedding_text,text_hash,facts_hash,changed_at,release_year}'::text[];

-- Writes an event about a title. Several are written faster by one statement:
-- insert into catalog.events (title_id, kind, payload) select … Both have to be in the transaction of the change.
create or replace function pipeline.write_event(
    title_id bigint, kind text, payload jsonb default '{}', fields text[] default null
) returns void
language sql
as $$
    insert into catalog.events (title_id, kind, payload, fields) values ($1, $2, $3, $4)
$$;

-- Numbers the events of a transaction when it commits. From here to the end of the commit it holds the lock on event_bounds, so
-- that events with a higher number are committed later: who has seen a number has seen all lower ones, on a standby, too.
-- A session plans the statements of a function once, maybe for one row: its settings keep them fast for many rows.
create or replace function pipeline.number_events() returns trigger
language plpgsql set enable_seqscan = off set enable_nestloop = off
as $$
declare
    written bigint;
    last bigint;
begin
    delete from pipeline.event_writes w where w.transaction_id = new.transaction_id;
    select count(*) into written from catalog.events e where e.sequence is null;
    update catalog.event_bounds b set last_sequence = b.last_sequence + written returning b.last_sequence into last;
    update catalog.events e set sequence = last - written + n.place
    from (
        select x.event_id, row_number() over (order by x.event_id) as place from catalog.events x where x.sequence is null
    ) n
    where e.sequence is null and e.event_id = n.event_id;
    perform pg_notify('movie_assets_events', last::text);
    return null;
end
$$;

create or replace function pipeline.await_numbers() returns trigger
language plpgsql
as $$
begin
    if exists (select from written) then
        insert into pipeline.event_writes values (pg_current_xact_id()) on conflict do nothing;
    end if;
    return null;
end
$$;

create or replace function pipeline.note_titles_added() returns trigger
language plpgsql
as $$
begin
    insert into catalog.events (title_id, kind, payload)
    select n.title_id, 'added', jsonb_strip_nulls(to_jsonb(n) - pipeline.columns_without_events()) from new_rows n;
    return null;
end
$$;

create or replace function pipeline.note_titles_changed() returns trigger
language plpgsql set enable_nestloop = off
as $$
begin
    insert into catalog.events (title_id, kind, fields, payload)
    select c.title_id, 'changed', f.fields, f.payload
    from (
        select n.title_id, to_jsonb(n) - pipeline.columns_without_events() as facts,
            to_jsonb(o) - pipeline.columns_without_events() as former
        from new_rows n join old_rows o using (title_id)
    ) c
    cross join lateral (
        select array_agg(a.key order by a.key) as fields, jsonb_object_agg(a.key, a.value) as payload
        from jsonb_each(c.facts) a where a.value is distinct from c.former -> a.key
    ) f
    where c.facts <> c.former;
    return null;
end
$$;

create or replace function pipeline.note_titles_left() returns trigger
language plpgsql
as $$
begin
    insert into catalog.events (title_id, kind, payload)
    select o.title_id, 'left', jsonb_strip_nulls(jsonb_build_object('state', i.state, 'reason', i.reason))
    from old_rows o left join pipeline.title_ids i using (title_id);
    return null;
end
$$;

-- Episodes that come with their series are no news. Nor are those of series that were in the catalogue without episodes.
create or replace function pipeline.note_episodes_added() returns trigger
language plpgsql
as $$
begin
    insert into catalog.events (title_id, kind, payload)
    select n.title_id, 'new_episode', jsonb_strip_nulls(jsonb_build_object(
        'episode_id', n.episode_id, 'season_number', n.season_number, 'episode_number', n.episode_number,
        'name', n.name, 'air_date', n.air_date))
    from new_rows n
    where n.title_id not in (select e.title_id from catalog.events e where e.sequence is null and e.kind = 'added')
    order by n.title_id, n.season_number, n.episode_number;
    return null;
end
$$;

create or replace function pipeline.note_episodes_changed() returns trigger
language plpgsql set enable_nestloop = off
as $$
begin
    insert into catalog.events (title_id, kind, payload)
    select n.title_id, 'date_moved', jsonb_build_object(
        'episode_id', n.episode_id, 'season_number', n.season_number, 'episode_number', n.episode_number,
        'air_date', n.air_date, 'former_air_date', o.air_date)
    from new_rows n join old_rows o using (episode_id)
    where n.air_date is distinct from o.air_date
    order by n.title_id, n.season_number, n.episode_number;
    return null;
end
$$;

create or replace function pipeline.note_episodes_left() returns trigger
language plpgsql
as $$
begin
    insert into catalog.events (title_id, kind, payload)
    select o.title_id, 'episode_left', jsonb_build_object(
        'episode_id', o.episode_id, 'season_number', o.season_number, 'episode_number', o.episode_number)
    from old_rows o
    where exists (select from catalog.titles t where t.title_id = o.title_id)  -- not those that left with their series
    order by o.title_id, o.season_number, o.episode_number;
    return null;
end
$$;

-- The date of a release moved: it is known by its title, country, kind, note and entry.
create or replace function pipeline.note_releases_moved() returns trigger
language plpgsql set enable_nestloop = off
as $$
begin
    insert into catalog.events (title_id, kind, payload)
    select n.title_id, 'date_moved', jsonb_build_object(
        'country', n.country, 'release_type', n.release_type, 'note', n.note, 'release_date', n.release_date,
        'former_release_date', o.release_date)
    from new_rows n join old_rows o using (title_id, country, release_type, note, entry)
    where n.release_date <> o.release_date
    order by n.title_id, n.country, n.release_type, n.entry;
    return null;
end
$$;

create or replace function pipeline.note_offers_came() returns trigger
language plpgsql
as $$
begin
    insert into catalog.events (title_id, kind, payload)
    select n.title_id, 'offer_came', jsonb_build_object('country', n.country, 'kind', n.kind, 'provider_id', n.provider_id)
    from new_rows n where not n.is_opening
    order by n.title_id, n.country, n.kind, n.provider_id;
    return null;
end
$$;

create or replace function pipeline.note_offers_left() returns trigger
language plpgsql set enable_nestloop = off
as $$
begin
    insert into catalog.events (title_id, kind, payload)
    select n.title_id, 'offer_left', jsonb_build_object('country', n.country, 'kind', n.kind, 'provider_id', n.provider_id)
    from new_rows n join old_rows o using (title_id, country, kind, provider_id, first_seen)
    where n.left_at is not null and o.left_at is null
    order by n.title_id, n.country, n.kind, n.provider_id;
    return null;
end
$$;

create or replace trigger await_numbers after insert on catalog.events
    referencing new table as written for each statement execute function pipeline.await_numbers();
drop trigger if exists number_events on pipeline.event_writes;  -- a constraint's trigger cannot be replaced
create constraint trigger number_events after insert on pipeline.event_writes
    deferrable initially deferred for each row execute function pipeline.number_events();
create or replace trigger note_titles_added after insert on catalog.titles
    referencing new table as new_rows for each statement execute function pipeline.note_titles_added();
create or replace trigger note_titles_changed after update on catalog.titles
    referencing old table as old_rows new table as new_rows for each statement
    execute function pipeline.note_titles_changed();
create or replace trigger note_titles_left after delete on catalog.titles
    referencing old table as old_rows for each statement execute function pipeline.note_titles_left();
create or replace trigger note_episodes_added after insert on catalog.episodes
    referencing new table as new_rows for each statement execute function pipeline.note_episodes_added();
create or replace trigger note_episodes_changed after update on catalog.episodes
    referencing old table as old_rows new table as new_rows for each statement
    execute function pipeline.note_episodes_changed();
create or replace trigger note_episodes_left after delete on catalog.episodes
    referencing old table as old_rows for each statement execute function pipeline.note_episodes_left();

create or replace trigger note_releases_moved after update on catalog.release_dates
    referencing old table as old_rows new table as new_rows for each statement
    execute function pipeline.note_releases_moved();
create or replace trigger note_offers_came after insert on catalog.offer_intervals
    referencing new table as new_rows for each statement execute function pipeline.note_offers_came();
create or replace trigger note_offers_left after update on catalog.offer_intervals
    referencing old table as old_rows new table as new_rows for each statement execute function pipeline.note_offers_left();

-- Returns the key of a title that applications can keep: movie:603, series:1399.
create or replace function catalog.stable_key(title_id bigint) returns text
language sql immutable parallel safe
return catalog.media_type(title_id) || ':' || catalog.tmdb_id(title_id);

-- Returns the events after the number `after`, the oldest first. A reader stores the highest number that it has seen, and misses
-- none: a change that commits later gets a higher number. One that asks only for some kinds or media types stores the last_sequence
-- of catalog.event_bounds, read before the call, when it gets fewer than max_events. Raises an exception when events after that
-- number were deleted: the reader then reads the catalogue again, and goes on from the last_sequence that it read before.
create or replace function catalog.events_after(
    after bigint, max_events integer default 1000, kinds text[] default null, media_types text[] default null
)
returns table (
    sequence bigint, occurred_at timestamptz, title_id bigint, key text, media_type text, kind text, fields text[], payload jsonb
)
language plpgsql stable
as $$
declare
    deleted_to bigint := (select b.deleted_to from catalog.event_bounds b);
begin
    if events_after.after < deleted_to then
        raise exception 'events after % were deleted; the oldest that is left is %', events_after.after, deleted_to + 1
            using errcode = 'no_data_found',
                hint = 'read the catalogue again, and go on from the last_sequence that catalog.event_bounds had before';
    end if;
    return query
    select e.sequence, e.occurred_at, e.title_id, catalog.stable_key(e.title_id), e.media_type, e.kind, e.fields, e.payload
    from catalog.events e
    where e.sequence > events_after.after
      and (events_after.kinds is null or e.kind = any (events_after.kinds))
      and (events_after.media_types is null or e.media_type = any (events_after.media_types))
    order by e.sequence
    limit events_after.max_events;
end
$$;
