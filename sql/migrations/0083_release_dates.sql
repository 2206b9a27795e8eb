-- Migration: the dates on which a movie is released, by country and kind, and what calendars have to know of dates that moved.

-- entry and sequence are the calendar's: entry numbers the dates of one title, country, kind and note, and stays when the date
-- moves, which raises sequence. The stored responses decide all other columns.
create table catalog.release_dates (
    title_id bigint not null references catalog.titles on delete cascade,
    country text not null,
    release_type smallint not null check (release_type between 1 and 6),
    entry smallint not null,
    release_date date not null,
    sequence integer not null default 0,
    note text not null,
    language text not null,
    certification text,
    primary key (title_id, country, release_type, release_date, note, language)
);
create index on catalog.release_dates (country, release_date);

create table catalog.cancelled_releases (
    title_id bigint not null references catalog.titles on delete cascade,
    country text not null,
    release_type smallint not null,
    entry smallint not null,
    release_date date not null,
    sequence integer not null,
    note text not null,
    cancelled_at timestamptz not null,
    primary key (title_id, country, release_type, note, entry)
);
create index on catalog.cancelled_releases (country, release_date);

-- An episode that is cancelled has no row in catalog.episodes, or none with a date.
create table catalog.moved_episodes (
    episode_id bigint primary key,
    title_id bigint not null references catalog.titles on delete cascade,
    season_number integer not null,
    episode_number integer not null,
    name text,
    air_date date not null,
    sequence integer not null,
    is_cancelled boolean not null,
    moved_at timestamptz not null
);
create index on catalog.moved_episodes (title_id);
create index on catalog.moved_episodes (air_date) where is_cancelled;
