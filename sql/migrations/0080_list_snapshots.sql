-- Migration: snapshots of TMDB's lists. A list has a row for each day and region on which it was read, and a row for each title
-- that it had then. The titles need not be in the catalogue.

create table catalog.list_days (
    media_type text not null,
    list text not null,
    region text not null,
    day date not null,
    read_at timestamptz not null,
    region_position smallint not null,
    first_release date,
    last_release date,
    titles integer not null,
    total integer,
    pages smallint not null,
    repeated integer not null,
    unreadable integer not null,
    primary key (media_type, list, region, day)
);
create table catalog.list_snapshots (
    media_type text not null,
    list text not null,
    region text not null,
    day date not null,
    rank smallint not null,
    title_id bigint not null,
    title text,
    original_title text,
    original_language text,
    overview text,
    release_date date,
    poster_path text,
    backdrop_path text,
    popularity double precision,
    vote_average double precision,
    vote_count integer,
    primary key (media_type, list, region, day, rank),
    foreign key (media_type, list, region, day) references catalog.list_days on delete cascade
);
create unique index on catalog.list_snapshots (title_id, list, region, day);
create index on catalog.list_snapshots (day);
