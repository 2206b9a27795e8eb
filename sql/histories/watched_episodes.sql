-- Applied after the migrations whenever it changes: matches rows on series with the catalogue, and derives what people have seen.

-- Matches the rows on series of imported files (of one person and source, or null: of all) with series and episodes of the
-- catalogue. Ids come first: TMDB's of the episode, then TMDB's, IMDb's and TheTVDB's of the series. IMDb's files have only the
-- episode's id, which TMDB's responses lack; their title is "series: episode". Otherwise title and year must name one series.
-- An episode is matched by its numbers if one episode has them. Returns the number of rows whose match changed.
create or replace function pipeline.match_series_entries(of_person text, of_source text) returns bigint
language sql
set jit = off
as $$
    with entries as materialized (
        select e.*, e.source = 'imdb' and e.kind = 'episode' as is_named_by_episode
        from pipeline.series_entries e
        where (of_person is null or e.person = of_person) and (of_source is null or e.source = of_source)
    ), by_id as materialized (
        select e.person, e.source, e.part, e.key, c.title_id, c.episode_id
        from entries e
        cross join lateral (
            select i.title_id, i.episode_id
            from (
                select p.title_id, p.episode_id, 1 as place from catalog.episodes p where p.episode_id = e.tmdb_episode_id
                union all
                select catalog.title_id('series', e.tmdb_id), null, 2
                union all
                select s.successor_id, null, 3
                from pipeline.title_ids s where s.title_id = catalog.title_id('series', e.tmdb_id)
                union all
                select x.title_id, null, 4
                from catalog.title_external_ids x
                where x.source = 'imdb' and x.value = e.imdb_id and not e.is_named_by_episode
                union all
                select x.title_id, null, 5
                from catalog.title_external_ids x where x.source = 'tvdb' and x.value = e.tvdb_id::text
            ) i
            join catalog.titles m using (title_id)
            where catalog.media_type(i.title_id) = 'series'
            order by i.place, i.title_id
            limit 1
        ) c
    ), by_title as (
        select e.person, e.source, e.part, e.key, min(k.title_id) as title_id, null::bigint as episode_id
        from entries e
        join catalog.title_names k on k.key = catalog.title_key(e.title) and catalog.media_type(k.title_id) = 'series'
        join catalog.titles m on m.title_id = k.title_id and (e.year is null or m.release_year = e.year)
        where e.title <> '' and not e.is_named_by_episode
          and not exists (
              select from by_id b where (b.person, b.source, b.part, b.key) = (e.person, e.source, e.part, e.key))
        group by e.person, e.source, e.part, e.key
        having count(distinct k.title_id) = 1
    ), by_episode_title as (
        select e.person, e.source, e.part, e.key, min(p.title_id) as title_id, min(p.episode_id) as episode_id
        from entries e
        cross join lateral regexp_split_to_table(e.title, ': ') with ordinality s (text, number)
        cross join lateral (
            select string_agg(a.text, ': ' order by a.number) filter (where a.number <= s.number) as series,
                string_agg(a.text, ': ' order by a.number) filter (where a.number > s.number) as episode
            from regexp_split_to_table(e.title, ': ') with ordinality a (text, number)
        ) n
        join catalog.title_names k on k.key = catalog.title_key(n.series) and catalog.media_type(k.title_id) = 'series'
        join catalog.episodes p on p.title_id = k.title_id and catalog.normalised(p.name) = catalog.normalised(n.episode)
            and (e.year is null or abs(extract(year from p.air_date) - e.year) <= 1)
        where e.is_named_by_episode
        group by e.person, e.source, e.part, e.key
        having count(distinct p.episode_id) = 1
    ), matched as (
        select * from by_id
        union all
        select * from by_title
        union all
        select * from by_episode_title
    ), numbered as (
        select e.person, e.source, e.part, e.key, m.title_id, coalesce(m.episode_id, p.episode_id) as episode_id
        from entries e
        left join matched m using (person, source, part, key)
        left join lateral (
            select min(p.episode_id) as episode_id
            from catalog.episodes p
            where m.episode_id is null and p.title_id = m.title_id and p.season_number = e.season
              and p.episode_number = e.episode
            having count(*) = 1
        ) p on e.kind = 'episode'
    ), written as (
        update pipeline.series_entries e
        set title_id = n.title_id, episode_id = n.episode_id
        from numbered n
        where (n.person, n.source, n.part, n.key) = (e.person, e.source, e.part, e.key)
          and (e.title_id, e.episode_id) is distinct from (n.title_id, n.episode_id)
        returning 1
    )
    select count(*) from written
$$;

-- Updates what people have seen of series from the matched rows: the series in catalog.watched_titles, and the episodes. A series
-- is wanted if no row has anything of it as seen; its rating is that of the series itself, not of an episode. Returns the
-- numbers of episodes that were added or changed, and removed, and of rows that match a series.
create or replace function pipeline.derive_series_histories(
    of_person text, of_source text, out written bigint, out removed bigint, out matched bigint)
language plpgsql
set jit = off
as $$
begin
    perform pipeline.match_series_entries(of_person, of_source);

    create temp table seen on commit drop as
    select e.person, e.title_id, e.source, bool_and(e.is_wanted) as is_wanted,
        (array_agg(e.rating order by e.part = 'ratings' desc, e.seen_at desc nulls last, e.part, e.key)
            filter (where e.rating is not null and e.kind = 'series' and not e.is_wanted))[1] as rating,
        max(e.seen_at) filter (where not e.is_wanted) as seen_at
    from pipeline.series_entries e
    where e.title_id is not null
      and (of_person is null or e.person = of_person) and (of_source is null or e.source = of_source)
    group by e.person, e.title_id, e.source;
    delete from catalog.watched_titles h
    where catalog.media_type(h.title_id) = 'series'
      and (of_person is null or h.person = of_person) and (of_source is null or h.source = of_source)
      and not exists (select from seen s where (s.person, s.title_id, s.source) = (h.person, h.title_id, h.source));
    insert into catalog.watched_titles as h (person, title_id, source, is_wanted, rating, seen_at)
    select s.person, s.title_id, s.source, s.is_wanted, s.rating, s.seen_at from seen s
    on conflict (person, title_id, source) do update set
        is_wanted = excluded.is_wanted, rating = excluded.rating, seen_at = excluded.seen_at, imported_at = now()
    where (h.is_wanted, h.rating, h.seen_at) is distinct from (excluded.is_wanted, excluded.rating, excluded.seen_at);
    drop table seen;

    create temp table seen_episodes on commit drop as
    select e.person, e.episode_id, e.source, min(e.title_id) as title_id,
        (array_agg(e.rating order by e.part = 'ratings' desc, e.seen_at desc nulls last, e.part, e.key)
            filter (where e.rating is not null))[1] as rating,
        max(e.seen_at) as seen_at
    from pipeline.series_entries e
    where e.episode_id is not null and not e.is_wanted
      and (of_person is null or e.person = of_person) and (of_source is null or e.source = of_source)
    group by e.person, e.episode_id, e.source;
    delete from catalog.watched_episodes w
    where (of_person is null or w.person = of_person) and (of_source is null or w.source = of_source)
      and not exists (select from seen_episodes s where (s.person, s.episode_id, s.source) = (w.person, w.episode_id, w.source));
    get diagnostics removed = row_count;
    insert into catalog.watched_episodes as w (person, episode_id, source, title_id, rating, seen_at)
    select s.person, s.episode_id, s.source, s.title_id, s.rating, s.seen_at from seen_episodes s
    on conflict (person, episode_id, source) do update set
        title_id = excluded.title_id, rating = excluded.rating, seen_at = excluded.seen_at
    where (w.title_id, w.rating, w.seen_at) is distinct from (excluded.title_id, excluded.rating, excluded.seen_at);
    get diagnostics written = row_count;
    drop table seen_episodes;
    select count(*) into matched from pipeline.series_entries e
    where e.title_id is not null
      and (of_person is null or e.person = of_person) and (of_source is null or e.source = of_source);
end
$$;

-- Returns a person's series, the one seen last first: the number of its episodes that the person has seen, of those that have aired
-- by a day, and the episode after the furthest one that was seen, which may not have aired yet; its columns are null without one.
-- Season 0, TMDB's specials, is counted nowhere. Reads with the rights of the caller.
create or replace function catalog.next_episodes(of_person text, day date default current_date)
returns table (
    title_id bigint, tmdb_id bigint, title text, seen integer, aired integer, episode_id bigint, season_number integer,
    episode_number integer, name text, air_date date
)
language sql stable
as $$
    select s.title_id, catalog.tmdb_id(s.title_id), m.title, s.seen, a.aired, n.episode_id, n.season_number,
        n.episode_number, n.name, n.air_date
    from (
        select w.title_id, max(w.seen_at) as seen_at,
            count(distinct w.episode_id) filter (where e.season_number > 0)::integer as seen,
            max(array[e.season_number, e.episode_number]) filter (where e.season_number > 0) as furthest
        from catalog.watched_episodes w join catalog.episodes e using (episode_id)
        where w.person = of_person
        group by w.title_id
    ) s
    join catalog.titles m on m.title_id = s.title_id
    cross join lateral (
        select count(*)::integer as aired
        from catalog.episodes e where e.title_id = s.title_id and e.season_number > 0 and e.air_date <= day
    ) a
    left join lateral (
        select e.episode_id, e.season_number, e.episode_number, e.name, e.air_date
        from catalog.episodes e
        where e.title_id = s.title_id and e.season_number > 0
          and (s.furthest is null or array[e.season_number, e.episode_number] > s.furthest)
          and not exists (
              select from catalog.watched_episodes w where w.person = of_person and w.episode_id = e.episode_id)
        order by e.season_number, e.episode_number
        limit 1
    ) n on true
    order by s.seen_at desc nulls last, s.title_id
$$;
