-- Migration: the series and episodes that the rows of imported files name, and the episodes that people have seen.

-- TMDB's id of the episode, where a file has it; a file's numbers of season and episode can be those of another site.
alter table pipeline.series_entries add column tmdb_episode_id bigint;
-- What the row was matched with; null until the catalogue has it.
alter table pipeline.series_entries add column title_id bigint;
alter table pipeline.series_entries add column episode_id bigint;
create index on pipeline.series_entries (title_id);

-- No foreign key: an episode that TMDB deletes and adds again under another id must not delete what a person has seen.
create table catalog.watched_episodes (
    person text not null,
    episode_id bigint not null,
    source text not null,
    title_id bigint not null,
    rating real check (rating between 0 and 100),
    seen_at timestamptz,
    primary key (person, episode_id, source)
);
create index on catalog.watched_episodes (person, title_id);
