-- Migration: what people watched, rated and want to watch, as their exports from elsewhere tell it.
create table catalog.watch_histories (
    person text not null,
    tmdb_id bigint not null,
    source text not null check (source in ('letterboxd', 'imdb', 'movielens', 'list')),
    is_wanted boolean not null default false,
    rating real check (rating between 0 and 100),
    seen_at timestamptz,
    imported_at timestamptz not null default now(),
    primary key (person, tmdb_id, source),
    check (not is_wanted or rating is null and seen_at is null)
);
create index on catalog.watch_histories (tmdb_id);
comment on table catalog.watch_histories is
    'one row is a film in somebody''s history or watchlist; the film need not be in the catalogue';
comment on column catalog.watch_histories.person is 'for example me, or movielens:1';
comment on column catalog.watch_histories.is_wanted is 'on a watchlist, and not known to be seen';
comment on column catalog.watch_histories.rating is '0-100, from whatever scale the source has; null when only watched';
comment on column catalog.watch_histories.seen_at is 'the last time; null when the source does not tell';
