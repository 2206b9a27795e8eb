-- Migration: what applications read.
create schema catalog;

-- Stable facts: one row for each accepted film.
create table catalog.movies (
    tmdb_id bigint primary key,
    imdb_id text,
    title text not null,
    original_title text not null,
    original_language text,
    release_date date,
    release_year smallint generated always as (extract(year from release_date)::smallint) stored,
    runtime_minutes smallint,
    status text,
    tagline text,
    overview text,
    genres text[] not null,
    keywords text[] not null,
    directors text[] not null,
    leading_cast text[] not null,
    countries text[] not null,
    collection_id bigint,
    collection text,
    certification text,
    budget bigint,
    revenue bigint,
    poster_path text,
    backdrop_path text,
    embedding_text text not null,
    text_hash text not null,
    changed_at timestamptz not null
);
create index on catalog.movies (lower(title));
create index on catalog.movies (release_year);
create index on catalog.movies using gin (genres);
create index on catalog.movies (collection_id) where collection_id is not null;
create index on catalog.movies (pipeline.batch_of(tmdb_id));

-- Daily numbers, apart so that their moving never touches the facts or the vectors.
create table catalog.movie_stats (
    tmdb_id bigint primary key references catalog.movies on delete cascade,
    popularity double precision not null,
    vote_average double precision not null,
    vote_count integer not null,
    seen_at timestamptz not null
) with (fillfactor = 70);

-- Scores on 0-100 with an interval, by film and by group of films; replaced as a whole.
create table catalog.rating_aggregates (
    scope text not null check (scope in ('film', 'genre', 'year', 'decade', 'language')),
    key text not null,
    films integer not null check (films > 0),
    votes bigint not null check (votes >= 0),
    score double precision not null check (score between 0 and 100),
    score_low double precision not null check (score_low between 0 and score),
    score_high double precision not null check (score_high between score and 100),
    method_version text not null,
    computed_at timestamptz not null,
    primary key (scope, key)
);

-- The vectors that searches see; pipeline.activate_set points it at the table of an embedding set.
create view catalog.movie_vectors as
select null::bigint as tmdb_id, null::text as text_hash, null::halfvec as embedding where false;

create view catalog.attribution as
select
    'This product uses the TMDB API but is not endorsed or certified by TMDB.' as notice,
    'https://www.themoviedb.org' as link;
