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
comment on table pipeline.series_entries is
    'one row is what a person''s newest file of a kind has of a series, a season or an episode; stored for the day on which the catalogue has series';
comment on column pipeline.series_entries.person is 'whose file it is';
comment on column pipeline.series_entries.source is 'the site that exported the file: imdb, trakt or simkl';
comment on column pipeline.series_entries.part is 'the kind of file: ratings, watched, diary, watchlist, or list: and its name';
comment on column pipeline.series_entries.key is 'kind, id (or title and year), season and episode; tells the rows of a file apart';
comment on column pipeline.series_entries.kind is 'series, season or episode';
comment on column pipeline.series_entries.title is 'title as the file has it; empty when the file has only an id';
comment on column pipeline.series_entries.year is 'year of the first episode as the file has it; null when it has none';
comment on column pipeline.series_entries.imdb_id is 'IMDb''s id of the series; in files of IMDb, of the series or the episode itself';
comment on column pipeline.series_entries.tmdb_id is 'TMDB''s id of the series; series and movies are numbered separately';
comment on column pipeline.series_entries.tvdb_id is 'TheTVDB''s id of the series';
comment on column pipeline.series_entries.season is 'number of the season, 0 for specials; null for a whole series';
comment on column pipeline.series_entries.episode is 'number of the episode within its season; null for a series or season';
comment on column pipeline.series_entries.is_wanted is 'true: on a watchlist and not known to be seen';
comment on column pipeline.series_entries.rating is '0-100, from whatever scale the source has; null when not rated';
comment on column pipeline.series_entries.seen_at is 'the last time that the file has; null when it has none';
