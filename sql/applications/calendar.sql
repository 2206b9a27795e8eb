-- Applied after the migrations whenever it changes: the dates on which titles come out, as rows and as an iCalendar file.

-- Returns the name of TMDB's kind of a release; episode for null.
create or replace function catalog.release_kind(release_type integer) returns text
language sql immutable parallel safe
return coalesce(('{premiere,limited,theatrical,digital,physical,tv}'::text[])[release_type], 'episode');

-- Returns the calendar of a period of at most 366 days, with cancelled dates: see catalog.calendar.
create or replace function catalog.calendar_entries(
    region text, kinds integer[], from_day date, to_day date, media_types text[]
)
returns table (
    uid text, sequence integer, day date, is_cancelled boolean, title_id bigint, media_type text, tmdb_id bigint, title text,
    release_type smallint, note text, language text, certification text, episode_id bigint, season_number integer,
    episode_number integer, episode_name text
)
language plpgsql stable
set jit = off
set random_page_cost = 1.1
set enable_hashjoin = off  -- a period has few of the titles; a hash would be made of all
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
    if calendar_entries.to_day - calendar_entries.from_day >= 366 then
        raise exception 'the period has % days; it can have 366', to_day - from_day + 1 using errcode = '22023';
    elsif not media_types <@ catalog.media_types() then
        raise exception 'media_types is a list of %, not %', array_to_string(catalog.media_types(), ' and '), media_types
            using errcode = '22023';
    end if;
    return query
    select concat_ws('-', 'movie', d.title_id, d.country, d.release_type, d.entry, left(md5(nullif(d.note, '')), 8))
               || '@movie-assets',
        d.sequence, d.release_date, d.is_cancelled, d.title_id, 'movie', catalog.tmdb_id(d.title_id), m.title,
        d.release_type, nullif(d.note, ''), nullif(d.language, ''), d.certification, null::bigint, null::integer,
        null::integer, null::text
    from (
        select r.title_id, r.country, r.release_type, r.entry, r.release_date, r.sequence, r.note, r.language,
            r.certification, false as is_cancelled
        from catalog.release_dates r
        where r.country = upper(region) and r.release_date between from_day and to_day
        union all
        select c.title_id, c.country, c.release_type, c.entry, c.release_date, c.sequence, c.note, null, null, true
        from catalog.cancelled_releases c
        where c.country = upper(region) and c.release_date between from_day and to_day
    ) d
    join catalog.titles m using (title_id)
    where 'movie' = any (media_types) and (kinds is null or d.release_type = any (kinds))
    union all
    select 'episode-' || d.episode_id || '@movie-assets', d.sequence, d.air_date, d.is_cancelled, d.title_id, 'series',
        catalog.tmdb_id(d.title_id), m.title, null, null, null, m.certification, d.episode_id, d.season_number,
        d.episode_number, d.name
    from (
        select e.episode_id, e.title_id, e.season_number, e.episode_number, e.name, e.air_date,
            coalesce(v.sequence, 0) as sequence, false as is_cancelled
        from catalog.episodes e left join catalog.moved_episodes v using (episode_id)
        where e.air_date between from_day and to_day
        union all
        select v.episode_id, v.title_id, v.season_number, v.episode_number, v.name, v.air_date, v.sequence, true
        from catalog.moved_episodes v
        where v.is_cancelled and v.air_date between from_day and to_day
    ) d
    join catalog.titles m using (title_id)
    where 'series' = any (media_types);
end
$$;

-- Returns what comes out in a period of at most 366 days, both ends included, in the order of the days: releases of movies in a
-- region (ISO 3166-1) of these kinds (1 premiere, 2 limited, 3 theatrical, 4 digital, 5 physical, 6 TV; null for all), and
-- episodes of series. TMDB knows no region and no kind of an episode: those of all series are in every region.
create or replace function catalog.calendar(
    region text,
    kinds integer[] default null,
    from_day date default (now() at time zone 'utc')::date,
    to_day date default (now() at time zone 'utc')::date + 30,
    media_types text[] default '{movie,series}'
)
returns table (
    day date, media_type text, title_id bigint, tmdb_id bigint, title text, release_type smallint, kind text, note text,
    language text, certification text, season_number integer, episode_number integer, episode_name text, uid text,
    sequence integer
)
language sql stable
as $$
    select c.day, c.media_type, c.title_id, c.tmdb_id, c.title, c.release_type, catalog.release_kind(c.release_type), c.note,
        c.language, c.certification, c.season_number, c.episode_number, c.episode_name, c.uid, c.sequence
    from catalog.calendar_entries(region, kinds, from_day, to_day, media_types) c
    where not c.is_cancelled
    order by c.day, c.media_type, c.title, c.title_id, c.season_number, c.episode_number, c.release_type, c.uid
$$;

-- Returns a text as the value of an iCalendar property (RFC 5545, 3.3.11), without control characters.
create or replace function catalog.ics_text(value text) returns text
language sql immutable parallel safe
return replace(replace(replace(replace(
    regexp_replace(regexp_replace(value, '\r\n?', E'\n', 'g'), '[\u0001-\u0008\u000b-\u001f\u007f]', '', 'g'),
    '\', '\\'), ';', '\;'), ',', '\,'), E'\n', '\n');

-- Returns a content line of an iCalendar file with its end. A line of more than 75 bytes is folded between characters.
create or replace function catalog.ics_line(content text) returns text
language plpgsql immutable parallel safe
as $$
declare
    whole bytea := convert_to(content, 'UTF8');
    start integer := 0;
    ending integer;
    lines text[] := '{}';
begin
    while length(whole) - start > 75 - (start > 0)::integer loop
        ending := start + 75 - (start > 0)::integer;
        while get_byte(whole, ending) & 192 = 128 loop  -- within a character
            ending := ending - 1;
        end loop;
        lines := lines || convert_from(substring(whole from start + 1 for ending - start), 'UTF8');
        start := ending;
    end loop;
    return array_to_string(
        lines || convert_from(substring(whole from start + 1), 'UTF8'), E'\r\n ') || E'\r\n';
end
$$;

-- Returns the calendar of a period as the text of an iCalendar file (RFC 5545): an event of a whole day for each date. The UID of
-- an event stays when its date moves, its SEQUENCE is raised; a date that was taken away is an event with the status CANCELLED.
create or replace function catalog.calendar_ics(
    region text,
    kinds integer[] default null,
    from_day date default (now() at time zone 'utc')::date,
    to_day date default (now() at time zone 'utc')::date + 30,
    media_types text[] default '{movie,series}'
)
returns text
language sql stable
as $$
    select E'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//movie_assets//calendar//EN\r\nMETHOD:PUBLISH\r\n'
        || catalog.ics_line('X-WR-CALNAME:Releases in ' || catalog.ics_text(upper(region)))
        || catalog.ics_line('X-WR-CALDESC:' || catalog.ics_text(
            (select a.notice from catalog.attribution a where a.source = 'TMDB')))
        || coalesce(string_agg(
            E'BEGIN:VEVENT\r\n'
            || catalog.ics_line('UID:' || c.uid)
            || to_char(now() at time zone 'utc', '"DTSTAMP:"YYYYMMDD"T"HH24MISS"Z"')
            || E'\r\nDTSTART;VALUE=DATE:' || to_char(c.day, 'YYYYMMDD')
            || E'\r\nSEQUENCE:' || c.sequence
            || E'\r\nSTATUS:' || case when c.is_cancelled then 'CANCELLED' else 'CONFIRMED' end || E'\r\n'
            || catalog.ics_line('SUMMARY:' || catalog.ics_text(concat_ws(' ',
                c.title, 'S' || c.season_number || 'E' || c.episode_number, c.episode_name,
                '(' || case when c.release_type is not null then
                    concat_ws(', ', catalog.release_kind(c.release_type), c.note, c.language, c.certification) end || ')')))
            || 'CATEGORIES:' || catalog.release_kind(c.release_type)
            || E'\r\nURL:https://www.themoviedb.org/' || case c.media_type when 'movie' then 'movie/' else 'tv/' end || c.tmdb_id
            || E'\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\n',
            '' order by c.day, c.media_type, c.title, c.title_id, c.season_number, c.episode_number, c.release_type, c.uid
        ), '')
        || E'END:VCALENDAR\r\n'
    from catalog.calendar_entries(region, kinds, from_day, to_day, media_types) c
$$;
