-- Applied after the migrations whenever it changes: TMDB's lists as applications read them.

-- Returns a list as it was on a day: the newest snapshot up to then, today without a day. Without a region, that of the first
-- country of the settings. A list of the world (trending, lists of series) is the same for all regions. No row without a snapshot.
create or replace function catalog.list(
    name text, region text default null, day date default null, media text default 'movie'
) returns table (
    rank integer, title_id bigint, tmdb_id bigint, title text, release_date date, overview text, poster_path text,
    popularity double precision, vote_average double precision, vote_count integer, in_catalogue boolean, list_region text,
    list_day date, read_at timestamptz
)
language sql stable
as $$
    select s.rank::integer, s.title_id, catalog.tmdb_id(s.title_id), s.title, s.release_date, s.overview, s.poster_path,
        s.popularity, s.vote_average, s.vote_count, exists (select from catalog.titles t where t.title_id = s.title_id),
        s.region, s.day, d.read_at
    from (
        select d.* from catalog.list_days d
        where d.media_type = list.media and d.list = list.name and d.region in ('', coalesce(upper(list.region), d.region))
            and d.day <= coalesce(list.day, 'infinity')
        order by d.day desc, d.region_position limit 1
    ) d
    join catalog.list_snapshots s using (media_type, list, region, day)
    order by s.rank
$$;
