-- Migration: ratings from OMDb, which has a quota of calls a day.

create table catalog.omdb_ratings (
    title_id bigint not null references catalog.titles on delete cascade,
    source text not null check (source in ('imdb', 'rotten_tomatoes', 'metacritic')),
    scale_min double precision not null,
    scale_max double precision not null check (scale_max > scale_min),
    raw_value double precision not null check (raw_value between scale_min and scale_max),
    value double precision not null
        generated always as (100 * (raw_value - scale_min) / (scale_max - scale_min)) stored,
    votes bigint check (votes > 0),
    seen_at timestamptz not null,
    primary key (title_id, source)
);

create table pipeline.omdb_titles (
    title_id bigint primary key references catalog.titles on delete cascade,
    imdb_id text not null,
    outcome text not null check (outcome in ('rated', 'unrated', 'not_found', 'failed')),
    asked_at timestamptz not null
);

create table pipeline.omdb_days (
    day date primary key,
    calls integer not null,
    titles_rated integer not null default 0,
    titles_without integer not null default 0,
    titles_failed integer not null default 0,
    values_read integer not null default 0,
    values_rejected integer not null default 0,
    used_up_at timestamptz
);

create or replace view catalog.attribution as
select 'TMDB' as source, 'This product uses the TMDB API but is not endorsed or certified by TMDB.' as notice,
    'https://www.themoviedb.org' as link, 'all films' as applies_to
union all
select 'JustWatch', 'Watch providers by JustWatch.', 'https://www.justwatch.com', 'catalog.movie_watch_providers'
union all
select 'IMDb', 'Information courtesy of IMDb (https://www.imdb.com). Used with permission.', 'https://www.imdb.com',
    'catalog.external_ratings, source imdb; for personal and non-commercial use'
union all
select 'MovieLens',
    'F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. ACM TiiS 5, 4: 19.',
    'https://grouplens.org/datasets/movielens', 'catalog.external_ratings, source movielens'
union all
select 'OMDb',
    'Ratings by OMDb (https://www.omdbapi.com), CC BY-NC 4.0 (https://creativecommons.org/licenses/by-nc/4.0/).',
    'https://www.omdbapi.com', 'catalog.omdb_ratings; not for commercial use'
where exists (select from catalog.omdb_ratings);
