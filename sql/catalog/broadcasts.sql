-- Applied after the migrations whenever it changes: the seasons and episodes of series.

-- Returns the tables of broadcasts, in the order in which they are written, with the columns and queries of response_tables. A
-- response has all seasons of its series, and the episodes only of those that were fetched with it: rows are merged.
create or replace function pipeline.broadcast_tables()
returns table (name text, keys text[], columns text[], query text)
language sql immutable
as $$
    select * from (values
        ('broadcasts', '{title_id}'::text[],
         '{title_id,type,in_production,has_ended,last_air_date,number_of_seasons,number_of_episodes,languages,homepage,
           last_episode_id,last_episode_date,next_episode_id,next_episode_date}'::text[],
         'select n.title_id, r.* from related_parts n, jsonb_to_recordset(n.rows)
              as r (type text, in_production boolean, has_ended boolean, last_air_date date, number_of_seasons integer,
                    number_of_episodes integer, languages text[], homepage text, last_episode_id bigint,
                    last_episode_date date, next_episode_id bigint, next_episode_date date)
          where n.part = ''broadcasts'''),
        ('seasons', '{season_id}',
         '{season_id,title_id,season_number,name,overview,air_date,episode_count,poster_path,vote_average}',
         'select n.title_id, r.* from related_parts n, jsonb_to_recordset(n.rows)
              as r (season_id bigint, season_number integer, name text, overview text, air_date date,
                    episode_count integer, poster_path text, vote_average double precision)
          where n.part = ''seasons'''),
        ('episodes', '{episode_id}',
         '{episode_id,title_id,season_number,episode_number,name,overview,air_date,runtime_minutes,episode_type,still_path,
           production_code,vote_average,vote_count}',
         'select n.title_id, r.* from related_parts n, jsonb_to_recordset(n.rows)
              as r (episode_id bigint, season_number integer, episode_number integer, name text, overview text,
                    air_date date, runtime_minutes smallint, episode_type text, still_path text, production_code text,
                    vote_average double precision, vote_count integer)
          where n.part = ''episodes''')
    ) as t
$$;

-- Reads the broadcasts of the series of incoming_films that are in the catalogue into related_parts.
create or replace function pipeline.stage_broadcasts() returns void
language plpgsql
as $$
begin
    create temp table if not exists related_parts (title_id bigint, part text, rows jsonb) on commit delete rows;
    truncate related_parts;
    insert into related_parts
    select f.title_id, p.key, p.value
    from incoming_films f join catalog.titles using (title_id) cross join jsonb_each(f.broadcasts) p;
    analyze related_parts;
end
$$;

-- Returns the seasons and episodes of the catalogue that the responses in related_parts no longer have: seasons that are not
-- listed, or of which another one has the number now, episodes of seasons that are not listed, and episodes that a season
-- does not have. A list that could not be read as a whole (is_whole is false) takes nothing away.
create or replace function pipeline.surplus_broadcasts()
returns table (table_name text, title_id bigint, id bigint)
language plpgsql
as $$
#variable_conflict use_column
begin
    return query
    with lists as materialized (
        select n.title_id, r.season_number, r.is_whole  -- season_number is null for the list of seasons itself
        from related_parts n, jsonb_to_recordset(n.rows) as r (season_number integer, is_whole boolean)
        where n.part = 'lists'
    ), listed as materialized (
        select n.title_id, r.season_id, r.season_number
        from related_parts n, jsonb_to_recordset(n.rows) as r (season_id bigint, season_number integer)
        where n.part = 'seasons'
    ), known as materialized (
        select r.episode_id from related_parts n, jsonb_to_recordset(n.rows) as r (episode_id bigint)
        where n.part = 'episodes'
    )
    select 'seasons', s.title_id, s.season_id
    from catalog.seasons s
    where s.title_id in (select l.title_id from lists l)
      and not exists (select from listed l where l.season_id = s.season_id)
      and (exists (select from lists l where l.title_id = s.title_id and l.season_number is null and l.is_whole)
           or exists (select from listed l where l.title_id = s.title_id and l.season_number = s.season_number))
    union all
    select 'episodes', e.title_id, e.episode_id
    from catalog.episodes e
    join lists l on l.title_id = e.title_id and l.season_number is null
    left join lists f on f.title_id = e.title_id and f.season_number = e.season_number
    where not exists (select from known k where k.episode_id = e.episode_id)
      and (f.is_whole or (l.is_whole and not exists (
          select from listed o where o.title_id = e.title_id and o.season_number = e.season_number)));
end
$$;

-- Run by store_details for each chunk, once the series are in catalog.titles. Only rows that changed are written.
create or replace function pipeline.store_broadcasts() returns void
language plpgsql
as $$
declare
    t record;
begin
    perform pipeline.stage_broadcasts();
    if not exists (select from related_parts) then
        return;
    end if;
    for t in select * from pipeline.broadcast_tables() loop
        perform pipeline.merge_rows(t.name, t.keys, t.columns, t.query);
    end loop;
    create temp table if not exists surplus (table_name text, title_id bigint, id bigint) on commit delete rows;
    truncate surplus;
    insert into surplus select * from pipeline.surplus_broadcasts();
    delete from catalog.seasons s using surplus x where x.table_name = 'seasons' and s.season_id = x.id;
    delete from catalog.episodes e using surplus x where x.table_name = 'episodes' and e.episode_id = x.id;
end
$$;

-- Run by store_season_details: takes an episode that is in another season now out of the stored response for the season that
-- it left, where that season was not fetched with it. Else both responses would have the episode.
create or replace function pipeline.take_out_moved_episodes() returns void
language sql
as $$
    with moved as (
        select f.title_id, e.season_number, array_agg(e.episode_id) as episodes
        from incoming_films f
        cross join jsonb_to_recordset(f.broadcasts -> 'episodes') as r (episode_id bigint, season_number integer)
        join catalog.episodes e on e.episode_id = r.episode_id and e.title_id = f.title_id
        where f.body is not null and e.season_number <> r.season_number
          and not coalesce(f.season_bodies ? e.season_number::text, false)
        group by f.title_id, e.season_number
    )
    update pipeline.season_details d set
        body = jsonb_set(d.body, '{episodes}', (
            select coalesce(jsonb_agg(p.entry order by p.place), '[]')
            from jsonb_array_elements(d.body -> 'episodes') with ordinality as p (entry, place)
            where not exists (select from unnest(m.episodes) as x (id) where to_jsonb(x.id) = p.entry -> 'id'))),
        runtimes = array(
            select e.runtime_minutes from catalog.episodes e
            where e.title_id = d.title_id and e.season_number = d.season_number and e.runtime_minutes is not null
              and e.episode_id <> all (m.episodes)
            order by 1)
    from moved m
    where d.title_id = m.title_id and d.season_number = m.season_number
$$;

-- Run by store_details for each chunk, after the responses: stores the seasons that came with them, and deletes those that a
-- series no longer lists. Of a series that is not in the catalogue all seasons were fetched, so that others are older.
create or replace function pipeline.store_season_details(moment timestamptz) returns void
language plpgsql
as $$
begin
    delete from pipeline.season_details d
    using incoming_films f
    where d.title_id = f.title_id and f.body is not null
      and not coalesce(f.season_bodies ? d.season_number::text, false)
      and (
          not exists (select from catalog.titles m where m.title_id = f.title_id)
          or (
              f.broadcasts @> '{"lists": [{"season_number": null, "is_whole": true}]}'
              and not f.broadcasts @> jsonb_build_object(
                  'seasons', jsonb_build_array(jsonb_build_object('season_number', d.season_number)))
          )
      );
    insert into pipeline.season_details as d (title_id, season_number, body, runtimes, fetched_at)
    select f.title_id, s.number::integer, s.body, '{}', moment
    from incoming_films f cross join jsonb_each(f.season_bodies) as s (number, body)
    where f.body is not null
    on conflict (title_id, season_number) do update set
        body = case when d.body = excluded.body then d.body else excluded.body end, fetched_at = excluded.fetched_at;
    perform pipeline.take_out_moved_episodes();

    with known as (
        select f.title_id, l.season_number,
            coalesce(array_agg(e.runtime_minutes order by e.runtime_minutes) filter (
                where e.runtime_minutes is not null), '{}') as runtimes
        from incoming_films f
        cross join jsonb_to_recordset(f.broadcasts -> 'lists') as l (season_number integer)
        left join jsonb_to_recordset(f.broadcasts -> 'episodes') as e (season_number integer, runtime_minutes smallint)
            on e.season_number = l.season_number
        group by f.title_id, l.season_number
    )
    update pipeline.season_details d set runtimes = k.runtimes
    from known k
    where d.title_id = k.title_id and d.season_number = k.season_number and d.runtimes <> k.runtimes;

    -- The median of all episodes whose runtime is known, but of season 0.
    update incoming_films f set runtime_minutes = (
        select percentile_disc(0.5) within group (order by r.minutes)
        from pipeline.season_details d cross join unnest(d.runtimes) as r (minutes)
        where d.title_id = f.title_id and d.season_number > 0
    )
    where f.broadcasts is not null;
end
$$;

-- Returns the response for a title as it was fetched: that for a series with all its stored seasons.
create or replace function pipeline.whole_response(title_id bigint, body jsonb) returns jsonb
language sql stable parallel safe
as $$
    select case when title_id < 1000000000 then body else body || coalesce((
        select jsonb_object_agg('season/' || d.season_number, d.body)
        from pipeline.season_details d where d.title_id = whole_response.title_id), '{}')
    end
$$;

-- Returns how many bytes a stored response has, compressed, with its seasons.
create or replace function pipeline.bytes_of_response(title_id bigint, body jsonb) returns bigint
language sql stable parallel safe
as $$
    select pg_column_size(body) + case when title_id < 1000000000 then 0 else coalesce((
        select sum(pg_column_size(d.body)) from pipeline.season_details d
        where d.title_id = bytes_of_response.title_id), 0)
    end
$$;

-- Returns the template of a title's text, which its hash begins with: `template` is that of movies, the module
-- catalog.embedding_text has that of series.
create or replace function pipeline.template_of(title_id bigint, template text) returns text
language sql immutable parallel safe
return case when title_id < 1000000000 then template else 'series-v1' end;

-- Returns the age that the details of a series may reach. A series of which an episode was aired in the last 21 days, or is
-- expected in the next 21, gets another episode or status every other day; so may one whose next episode has no date.
create or replace function pipeline.age_of_series(title_id bigint, moment timestamptz) returns interval
language sql stable parallel safe
as $$
    select coalesce((
        select case
            when b.last_episode_date between moment::date - 21 and moment::date + 21
                or b.next_episode_date between moment::date - 21 and moment::date + 21
                or (b.next_episode_id is not null and b.next_episode_date is null) then interval '1 day'
            when not b.has_ended then interval '7 days'
        end
        from catalog.broadcasts b where b.title_id = age_of_series.title_id
    ), interval '30 days')
$$;

-- Returns the next episode of a series from a day on (UTC): the first of all seasons but the specials (season 0). No row when
-- none has a date from that day on.
create or replace function catalog.next_episode(
    title_id bigint, day date default (now() at time zone 'utc')::date
)
returns setof catalog.episodes
language sql stable parallel safe
as $$
    select e.* from catalog.episodes e
    where e.title_id = next_episode.title_id and e.air_date >= next_episode.day and e.season_number > 0
    order by e.air_date, e.season_number, e.episode_number limit 1
$$;

create or replace view catalog.series as
select
    catalog.tmdb_id(m.title_id) as tmdb_id, m.title_id, m.imdb_id, m.title, m.original_title, m.original_language,
    m.release_date as first_air_date, m.release_year as first_air_year, m.runtime_minutes, m.status, b.type,
    b.in_production, b.has_ended, b.last_air_date, b.number_of_seasons, b.number_of_episodes, b.last_episode_id,
    b.last_episode_date, b.next_episode_id, b.next_episode_date, m.tagline, m.overview, m.genres, m.keywords,
    array(select n.name from catalog.series_networks s join catalog.networks n using (network_id)
          where s.title_id = m.title_id order by s.position) as networks,
    array(select p.name from catalog.series_creators s join catalog.people p using (person_id)
          where s.title_id = m.title_id order by s.position) as creators,
    m.leading_cast, m.countries, b.languages, m.certification, b.homepage, m.poster_path, m.backdrop_path,
    m.embedding_text, m.text_hash, m.changed_at
from catalog.titles m join catalog.broadcasts b using (title_id);
