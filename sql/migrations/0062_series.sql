-- Migration: what a series has and a movie has not: its broadcasts, seasons, episodes, networks and creators. People,
-- genres, providers and the like are in the tables of all titles.

-- The seasons of the stored responses, apart from pipeline.title_details: a fetch brings only the seasons that may have
-- changed, and only these are written again. runtimes has the known runtimes of their episodes, for the series' median.
create table pipeline.season_details (
    title_id bigint not null references pipeline.title_details on delete cascade,
    season_number integer not null,
    body jsonb not null,
    runtimes smallint[] not null,
    fetched_at timestamptz not null,
    primary key (title_id, season_number)
);
create index on pipeline.season_details (fetched_at);
do $$
begin
    alter table pipeline.season_details alter column body set compression lz4;
exception when feature_not_supported then
    null;  -- a server built without lz4 compresses in its own way
end
$$;

create table catalog.broadcasts (
    title_id bigint primary key references catalog.titles on delete cascade,
    type text,
    in_production boolean not null,
    has_ended boolean not null,
    last_air_date date,
    number_of_seasons integer,
    number_of_episodes integer,
    languages text[] not null,
    homepage text,
    last_episode_id bigint,
    last_episode_date date,
    next_episode_id bigint,
    next_episode_date date
);

-- Seasons and episodes are known by TMDB's ids, as TMDB renumbers both: no constraint holds their numbers.
create table catalog.seasons (
    season_id bigint primary key,
    title_id bigint not null references catalog.titles on delete cascade,
    season_number integer not null,
    name text,
    overview text,
    air_date date,
    episode_count integer,
    poster_path text,
    vote_average double precision
);
create index on catalog.seasons (title_id, season_number);
create table catalog.episodes (
    episode_id bigint primary key,
    title_id bigint not null references catalog.titles on delete cascade,
    season_number integer not null,
    episode_number integer not null,
    name text,
    overview text,
    air_date date,
    runtime_minutes smallint,
    episode_type text,
    still_path text,
    production_code text,
    vote_average double precision not null,
    vote_count integer not null
);
create index on catalog.episodes (title_id, season_number, episode_number);
create index on catalog.episodes (air_date);

create table catalog.networks (network_id bigint primary key, name text not null, country text, logo_path text);
create table catalog.series_networks (
    title_id bigint not null references catalog.titles on delete cascade,
    network_id bigint not null references catalog.networks,
    position smallint not null,
    primary key (title_id, network_id)
);
create index on catalog.series_networks (network_id);
create table catalog.series_creators (
    title_id bigint not null references catalog.titles on delete cascade,
    person_id bigint not null references catalog.people,
    position smallint not null,
    primary key (title_id, person_id)
);
create index on catalog.series_creators (person_id);

alter table catalog.title_cast add column episode_count integer;
alter table catalog.title_crew add column episode_count integer;
alter table catalog.title_certifications add column descriptors text;

-- The former names of these tables have all their columns.
create or replace view catalog.movie_cast as
select title_id as tmdb_id, person_id, billing, character, episode_count from catalog.title_cast
where title_id < 1000000000;
create or replace view catalog.movie_crew as
select title_id as tmdb_id, person_id, job, department, episode_count from catalog.title_crew
where title_id < 1000000000;
create or replace view catalog.movie_certifications as
select title_id as tmdb_id, country, certification, release_type, released, descriptors from catalog.title_certifications
where title_id < 1000000000;
