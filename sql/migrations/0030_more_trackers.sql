-- Migration: exports of Trakt and Simkl, and what people's files have of series.
alter table catalog.watch_histories drop constraint watch_histories_source_check;
alter table catalog.watch_histories add constraint watch_histories_source_check
    check (source in ('letterboxd', 'imdb', 'movielens', 'trakt', 'simkl', 'list'));

create table pipeline.series_entries (
    person text not null,
    source text not null,
    part text not null,
    key text not null,
    kind text not null check (kind in ('series', 'season', 'episode')),
    title text not null,
    year smallint,
    imdb_id text,
    tmdb_id bigint,
    tvdb_id bigint,
    season integer,
    episode integer,
    is_wanted boolean not null,
    rating real,
    seen_at timestamptz,
    primary key (person, source, part, key)
);
