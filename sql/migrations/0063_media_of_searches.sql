-- Migration: searches for movies see nothing of series. The words of each media type are counted apart, as how rare a word is
-- decides the order of what is found. The pages of catalog.postings are those of media types, which needs no change of a row.

-- Returns the media types, each at one more than its page in catalog.postings.
create function catalog.media_types() returns text[]
language sql immutable parallel safe
return '{movie,series}'::text[];

alter table catalog.vocabulary
    add column media_type text not null default 'movie',
    drop constraint vocabulary_pkey,
    add constraint vocabulary_pkey primary key (word, media_type);
alter table pipeline.word_changes add column media_type text not null default 'movie';
