-- Migration: the nearest films of every film, found beforehand.
create table catalog.similar_movies (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    place smallint not null check (place between 1 and 10),
    similar_id bigint not null references catalog.movies on delete cascade,
    similarity real not null,
    shared_features jsonb not null,
    primary key (tmdb_id, place)
);
create index on catalog.similar_movies (similar_id);
comment on column catalog.similar_movies.shared_features is
    '{"people": […], "genres": […], "keywords": […], "collection": "…"}; what both films have, empty parts left out';

-- What a film's list was made from: it is made again when the vector is another one, when one of its films left, or when
-- a film that changed belongs in it.
create table pipeline.similar_lists (
    tmdb_id bigint primary key references catalog.movies on delete cascade,
    set_id smallint not null,
    text_hash text not null,
    is_outdated boolean not null default false
);
