-- Migration: each media type has a model of recommendations and lists of its own.

alter table pipeline.recommendation_models add column media_type text not null default 'movie';
drop index pipeline.recommendation_models_is_served_idx;
create unique index recommendation_models_served on pipeline.recommendation_models (media_type) where is_served;

alter table pipeline.recommendation_lists
    add column media_type text not null default 'movie',
    drop constraint recommendation_lists_pkey,
    add constraint recommendation_lists_pkey primary key (person, media_type);

-- The places of each media type begin at 1. 1,000,000,000 is the first title_id of series.
alter table catalog.recommended_titles
    drop constraint recommended_titles_pkey,
    add constraint recommended_titles_pkey primary key (person, title_id);
create unique index recommended_titles_place on catalog.recommended_titles (person, (title_id / 1000000000), place);

-- The rating of a series without one is that of its episodes.
create trigger watched_episodes_came after insert on catalog.watched_episodes
    referencing new table as moved for each statement execute function pipeline.note_changed_histories();
create trigger watched_episodes_changed after update on catalog.watched_episodes
    referencing new table as moved for each statement execute function pipeline.note_changed_histories();
create trigger watched_episodes_went after delete on catalog.watched_episodes
    referencing old table as moved for each statement execute function pipeline.note_changed_histories();
