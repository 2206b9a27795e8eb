-- Applied after the migrations whenever it changes: lists of films that applications show as they are.

-- Each list is a view of titles with a rank within each media type, and a view of movies alone; after what is special to it come the
-- columns of catalog.scored_titles, or of catalog.scored_films. Views are replaced, never dropped, so that rights on them stay: new
-- columns go to the end. A part of scored_titles for each media type lets Postgres read one of them and know how many rows it has.

-- How a film's popularity is moving. With p(d) the film's popularity on day d and m(d) the median of those of its media type in the catalogue:
--
--     level(d) = ln(1 + p(d) / m(d))
--     recent   = mean of level(d), weighted by 2^(-age of d in days)        half-life 1 day
--     usual    = mean of level(d), weighted by 2^(-age of d in days / 7)    half-life 7 days
--     velocity = recent - usual
--
-- over the recorded days among the last 28. The difference of two exponentially weighted means is a velocity that
-- decays: a film that rose and stays where it is loses it as the rise becomes usual, half of it in about a week.
-- Dividing by the median makes a change of TMDB's scale (it cut it sevenfold between 2024 and 2025) invisible, as it moves
-- all films; the 1 keeps the noise of films that nobody looks at small: from a hundredth of the median to a tenth
-- is 0.09, from ten to a hundred times it is 2.2. With one day of history both means are equal: 0; with few, they are
-- close, so a film has to be known for some days before it can lead. The history has a row for a day on which a film's
-- numbers moved; on other recorded days it is where it was. Days on which nothing was recorded are left out.
drop function if exists pipeline.popularity_trends_at;
create function pipeline.popularity_trends_at(as_of date)
returns table (tmdb_id bigint, days smallint, recent double precision, usual double precision)
language sql stable
as $$
    with known as (
        select h.title_id, h.day, h.popularity
        from catalog.title_stats_history h
        where h.day between as_of - 27 and as_of
        union all
        select m.title_id, as_of - 28, b.popularity
        from catalog.titles m
        cross join lateral (
            select h.popularity from catalog.title_stats_history h
            where h.title_id = m.title_id and h.day < as_of - 27 order by h.day desc limit 1
        ) b
    ), spans as materialized (  -- until which day a film stayed where it was
        select
            k.title_id, k.day, k.popularity,
            coalesce(lead(k.day) over (partition by k.title_id order by k.day), as_of + 1) as next_day
        from known k join catalog.titles m using (title_id)
    ), days as materialized (
        select distinct s.day from spans s where s.day >= as_of - 27
    ), daily as materialized (
        select s.title_id, s.day, s.popularity from spans s where s.day >= as_of - 27
        union all
        select s.title_id, d.day, s.popularity
        from spans s join days d on d.day > s.day and d.day < s.next_day
        where s.next_day > s.day + 1
    ), medians as (
        select
            d.day, catalog.media_type(d.title_id) as media, 2 ^ (d.day - as_of) as recently, 2 ^ ((d.day - as_of) / 7.0::double precision) as usually,
            coalesce(nullif(percentile_cont(0.5) within group (order by d.popularity), 0), 1) as median
        from daily d group by d.day, media
    )
    select
        d.title_id,
        count(*)::smallint,
        sum(m.recently * ln(1 + greatest(d.popularity, 0) / m.median)) / sum(m.recently),
        sum(m.usually * ln(1 + greatest(d.popularity, 0) / m.median)) / sum(m.usually)
    from daily d join medians m on m.day = d.day and m.media = catalog.media_type(d.title_id)
    group by d.title_id
$$;

-- Run by record_stats in its transaction: three seconds at 50,000 films, which no reader should wait for.
create or replace function pipeline.refresh_trends() returns integer
language plpgsql
as $$
declare
    newest date := (select max(day) from catalog.title_stats_history);
    films integer;
begin
    delete from catalog.title_trends;
    insert into catalog.title_trends (title_id, day, days, recent, usual, velocity)
    select t.title_id, newest, t.days, t.recent, t.usual, t.recent - t.usual from pipeline.popularity_trends_at(newest) t (title_id);
    get diagnostics films = row_count;
    return films;
end
$$;

create or replace view catalog.scored_titles as
select
    m.media_type, m.title_id, catalog.tmdb_id(m.title_id) as tmdb_id, m.title, m.release_date, m.release_year, m.genres,
    m.original_language, m.runtime_minutes, m.poster_path, s.popularity, s.vote_average, s.vote_count, a.score, a.score_low,
    a.score_high, m.status
from (
    select 'movie' as media_type, t.title_id, t.title, t.release_date, t.release_year, t.genres, t.original_language,
        t.runtime_minutes, t.poster_path, t.status
    from catalog.titles t where t.title_id < 1000000000
    union all
    select 'series', t.title_id, t.title, t.release_date, t.release_year, t.genres, t.original_language,
        t.runtime_minutes, t.poster_path, t.status
    from catalog.titles t where t.title_id >= 1000000000
) m
left join catalog.title_stats s using (title_id)
left join catalog.title_scores a using (title_id);

create or replace view catalog.scored_films as
select
    f.tmdb_id, f.title, f.release_date, f.release_year, f.genres, f.original_language, f.runtime_minutes, f.poster_path,
    f.popularity, f.vote_average, f.vote_count, f.score, f.score_low, f.score_high
from catalog.scored_titles f
where f.media_type = 'movie';

create or replace view catalog.trending_titles as
select
    row_number() over (partition by f.media_type order by t.velocity desc, f.popularity desc, f.title_id)::integer as rank,
    t.velocity,
    t.days as days_of_history,
    t.day as as_of,
    f.media_type, f.title_id, f.tmdb_id, f.title, f.release_date, f.release_year, f.genres, f.original_language,
    f.runtime_minutes, f.poster_path, f.popularity, f.vote_average, f.vote_count, f.score, f.score_low, f.score_high
from catalog.title_trends t join catalog.scored_titles f using (title_id)
where t.velocity > 0 and t.days > 1;

create or replace view catalog.trending as
select
    f.rank, f.velocity, f.days_of_history, f.as_of,
    f.tmdb_id, f.title, f.release_date, f.release_year, f.genres, f.original_language, f.runtime_minutes, f.poster_path,
    f.popularity, f.vote_average, f.vote_count, f.score, f.score_low, f.score_high
from catalog.trending_titles f
where f.media_type = 'movie';

create or replace view catalog.hidden_gem_titles as
select
    row_number() over (partition by g.media_type order by g.score_low desc, g.popularity, g.title_id)::integer as rank,
    g.media_type, g.title_id, g.tmdb_id, g.title, g.release_date, g.release_year, g.genres, g.original_language,
    g.runtime_minutes, g.poster_path, g.popularity, g.vote_average, g.vote_count, g.score, g.score_low, g.score_high
from (
    select
        f.*,
        percent_rank() over (partition by f.media_type order by f.score_low) as esteem,
        percent_rank() over (partition by f.media_type order by f.vote_count) as known,
        percent_rank() over (partition by f.media_type order by f.popularity) as popular
    from catalog.scored_titles f where f.score is not null
) g
where g.esteem >= 0.8 and g.known <= 0.5 and g.popular <= 0.5;

create or replace view catalog.hidden_gems as
select
    f.rank,
    f.tmdb_id, f.title, f.release_date, f.release_year, f.genres, f.original_language, f.runtime_minutes, f.poster_path,
    f.popularity, f.vote_average, f.vote_count, f.score, f.score_low, f.score_high
from catalog.hidden_gem_titles f
where f.media_type = 'movie';

create or replace view catalog.titles_by_genre as
select
    g.genre,
    row_number() over (
        partition by f.media_type, g.genre order by f.score_low desc, f.vote_count desc, f.title_id)::integer as rank,
    f.media_type, f.title_id, f.tmdb_id, f.title, f.release_date, f.release_year, f.genres, f.original_language,
    f.runtime_minutes, f.poster_path, f.popularity, f.vote_average, f.vote_count, f.score, f.score_low, f.score_high
from catalog.scored_titles f cross join lateral unnest(f.genres) as g (genre)
where f.score is not null;

create or replace view catalog.by_genre as
select
    f.genre, f.rank,
    f.tmdb_id, f.title, f.release_date, f.release_year, f.genres, f.original_language, f.runtime_minutes, f.poster_path,
    f.popularity, f.vote_average, f.vote_count, f.score, f.score_low, f.score_high
from catalog.titles_by_genre f
where f.media_type = 'movie';

-- A series is released when its first episode is aired.
create or replace view catalog.newly_released_titles as
select
    row_number() over (
        partition by f.media_type order by f.release_date desc, f.popularity desc nulls last, f.title_id)::integer as rank,
    (now() at time zone 'UTC')::date - f.release_date as days_since_release,
    f.media_type, f.title_id, f.tmdb_id, f.title, f.release_date, f.release_year, f.genres, f.original_language,
    f.runtime_minutes, f.poster_path, f.popularity, f.vote_average, f.vote_count, f.score, f.score_low, f.score_high
from catalog.scored_titles f
where f.release_date between (now() at time zone 'UTC')::date - 90 and (now() at time zone 'UTC')::date;

create or replace view catalog.new_releases as
select
    f.rank, f.days_since_release,
    f.tmdb_id, f.title, f.release_date, f.release_year, f.genres, f.original_language, f.runtime_minutes, f.poster_path,
    f.popularity, f.vote_average, f.vote_count, f.score, f.score_low, f.score_high
from catalog.newly_released_titles f
where f.media_type = 'movie';

create or replace view catalog.upcoming_titles as
select
    row_number() over (
        partition by f.media_type order by f.release_date, f.popularity desc nulls last, f.title_id)::integer as rank,
    f.release_date - (now() at time zone 'UTC')::date as days_until_release,
    f.status,
    f.media_type, f.title_id, f.tmdb_id, f.title, f.release_date, f.release_year, f.genres, f.original_language,
    f.runtime_minutes, f.poster_path, f.popularity, f.vote_average, f.vote_count, f.score, f.score_low, f.score_high
from catalog.scored_titles f
where f.release_date > (now() at time zone 'UTC')::date and f.status is distinct from 'Canceled';

create or replace view catalog.upcoming as
select
    f.rank, f.days_until_release, f.status,
    f.tmdb_id, f.title, f.release_date, f.release_year, f.genres, f.original_language, f.runtime_minutes, f.poster_path,
    f.popularity, f.vote_average, f.vote_count, f.score, f.score_low, f.score_high
from catalog.upcoming_titles f
where f.media_type = 'movie';

-- Short films are left out, and short episodes are not: their series is long.
create or replace view catalog.award_worthy_titles as
select
    w.release_year as season,
    row_number() over (
        partition by w.media_type, w.release_year order by w.score_low desc, w.vote_count desc, w.title_id)::integer as rank,
    w.media_type, w.title_id, w.tmdb_id, w.title, w.release_date, w.release_year, w.genres, w.original_language,
    w.runtime_minutes, w.poster_path, w.popularity, w.vote_average, w.vote_count, w.score, w.score_low, w.score_high
from (
    select
        f.*,
        row_number() over (
            partition by f.media_type, f.release_year order by f.score_low desc, f.vote_count desc, f.title_id) as place,
        count(*) over (partition by f.media_type, f.release_year) as films,
        percent_rank() over (partition by f.media_type, f.release_year order by f.vote_count) as known
    from catalog.scored_titles f
    where f.score is not null and f.release_year is not null and (f.media_type = 'series' or f.runtime_minutes >= 40)
        and f.genres <> '{}'
) w
where w.place <= greatest(1, ceil(w.films * 0.05)) and w.known >= 0.25;

create or replace view catalog.award_worthy as
select
    f.season, f.rank,
    f.tmdb_id, f.title, f.release_date, f.release_year, f.genres, f.original_language, f.runtime_minutes, f.poster_path,
    f.popularity, f.vote_average, f.vote_count, f.score, f.score_low, f.score_high
from catalog.award_worthy_titles f
where f.media_type = 'movie';
