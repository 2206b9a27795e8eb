-- Applied after the migrations whenever it changes: lists of films that applications show as they are.

-- Each list is a view with its own rank; after what is special to it come the columns of catalog.scored_films. Views are
-- replaced, never dropped, so that rights on them stay: new columns go to the end.

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

create or replace view catalog.scored_films as
select
    m.title_id as tmdb_id, m.title, m.release_date, m.release_year, m.genres, m.original_language, m.runtime_minutes, m.poster_path,
    s.popularity, s.vote_average, s.vote_count, a.score, a.score_low, a.score_high
from catalog.titles m
left join catalog.title_stats s using (title_id)
left join catalog.film_scores a (title_id) using (title_id)
where m.title_id < 1000000000;

create or replace view catalog.trending as
select
    row_number() over (order by t.velocity desc, f.popularity desc, f.tmdb_id)::integer as rank,
    t.velocity,
    t.days as days_of_history,
    t.day as as_of,
    f.*
from catalog.title_trends t join catalog.scored_films f on f.tmdb_id = t.title_id
where t.velocity > 0 and t.days > 1;

create or replace view catalog.hidden_gems as
select
    row_number() over (order by g.score_low desc, g.popularity, g.tmdb_id)::integer as rank,
    g.tmdb_id, g.title, g.release_date, g.release_year, g.genres, g.original_language, g.runtime_minutes, g.poster_path,
    g.popularity, g.vote_average, g.vote_count, g.score, g.score_low, g.score_high
from (
    select
        f.*,
        percent_rank() over (order by f.score_low) as esteem,
        percent_rank() over (order by f.vote_count) as known,
        percent_rank() over (order by f.popularity) as popular
    from catalog.scored_films f where f.score is not null
) g
where g.esteem >= 0.8 and g.known <= 0.5 and g.popular <= 0.5;

create or replace view catalog.by_genre as
select
    g.genre,
    row_number() over (partition by g.genre order by f.score_low desc, f.vote_count desc, f.tmdb_id)::integer as rank,
    f.*
from catalog.scored_films f cross join lateral unnest(f.genres) as g (genre)
where f.score is not null;

create or replace view catalog.new_releases as
select
    row_number() over (order by f.release_date desc, f.popularity desc nulls last, f.tmdb_id)::integer as rank,
    (now() at time zone 'UTC')::date - f.release_date as days_since_release,
    f.*
from catalog.scored_films f
where f.release_date between (now() at time zone 'UTC')::date - 90 and (now() at time zone 'UTC')::date;

create or replace view catalog.upcoming as
select
    row_number() over (order by f.release_date, f.popularity desc nulls last, f.tmdb_id)::integer as rank,
    f.release_date - (now() at time zone 'UTC')::date as days_until_release,
    m.status,
    f.*
from catalog.scored_films f join catalog.titles m on m.title_id = f.tmdb_id
where f.release_date > (now() at time zone 'UTC')::date and m.status is distinct from 'Canceled';

create or replace view catalog.award_worthy as
select
    w.release_year as season,
    row_number() over (partition by w.release_year order by w.score_low desc, w.vote_count desc, w.tmdb_id)::integer as rank,
    w.tmdb_id, w.title, w.release_date, w.release_year, w.genres, w.original_language, w.runtime_minutes, w.poster_path,
    w.popularity, w.vote_average, w.vote_count, w.score, w.score_low, w.score_high
from (
    select
        f.*,
        row_number() over (partition by f.release_year order by f.score_low desc, f.vote_count desc, f.tmdb_id) as place,
        count(*) over (partition by f.release_year) as films,
        percent_rank() over (partition by f.release_year order by f.vote_count) as known
    from catalog.scored_films f
    where f.score is not null and f.release_year is not null and f.runtime_minutes >= 40 and f.genres <> '{}'
) w
where w.place <= greatest(1, ceil(w.films * 0.05)) and w.known >= 0.25;
