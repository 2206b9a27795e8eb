-- Migration: films as words: what search_movies, find_movie and complete_title look into.

-- Filled by the asset search_documents, which builds the indexes too, after the first load. Without foreign keys: a film that leaves is taken out by that asset, which
-- has to count its words out of the vocabulary; every search joins catalog.movies.
create table catalog.search_documents (
    tmdb_id bigint primary key,
    titles tsvector not null,
    words tsvector not null
) with (toast_tuple_target = 128);
-- Out of line and as they are: the index says which films have a word, and only the few that are ranked are read.
alter table catalog.search_documents alter column titles set storage external, alter column words set storage external;
comment on table catalog.search_documents is 'a film as words, for full text';
comment on column catalog.search_documents.titles is
    'every title; weight A: the title and the original one, also stemmed (English), B: others';
comment on column catalog.search_documents.words is
    'all of it; weight A: titles, B: people, C: keywords, genres, collection, D: tagline and overview';

create table catalog.movie_names (
    tmdb_id bigint not null,
    normalised text not null,
    key text collate "C" not null,
    kind text not null check (kind in ('title', 'original', 'alternative', 'translated')),
    name text not null,
    primary key (tmdb_id, normalised)
);
comment on table catalog.movie_names is 'a distinct normalised name of a film';
comment on column catalog.movie_names.normalised is 'catalog.normalised(name)';
comment on column catalog.movie_names.key is 'catalog.title_key(name): names of one key are taken for the same title';

create table catalog.vocabulary (
    word text collate "C" primary key,
    films integer not null,
    trigrams text[] not null
);
comment on table catalog.vocabulary is 'a word that films are found by; films: how many';

-- By how many films the words of each chunk of documents became more or less; folded into the vocabulary.
create table pipeline.word_changes (
    word text collate "C" not null,
    films integer not null
);

-- What each document was made from, and by which version; apart, so that looking what is due reads no document.
create table pipeline.document_sources (
    tmdb_id bigint primary key,
    source bigint not null
);
