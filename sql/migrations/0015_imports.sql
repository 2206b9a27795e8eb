-- Migration: imports of watch histories: the films that files name, what they say of them, and what a person has to decide.

create table pipeline.named_films (
    name_id bigint generated always as identity primary key,
    name text not null unique,
    title text not null,
    year smallint,
    imdb_id text,
    tmdb_id bigint,
    rivals smallint not null default 1,
    film_id bigint,
    matched_by text,
    confidence real,
    is_searched boolean not null default false
);
create index on pipeline.named_films (film_id) where film_id is not null;
create index on pipeline.named_films (name_id) where film_id is null;
comment on table pipeline.named_films is 'a film as somebody''s file names it, whoever''s and in whichever format, and the film it is';
comment on column pipeline.named_films.name is 'tmdb:603, or imdb:tt0133093, or The Matrix (1999)';
comment on column pipeline.named_films.tmdb_id is 'as the file tells it; film_id is the film that it is, if that is known';
comment on column pipeline.named_films.rivals is 'how many films of one source have this title and year; a match has this part of its confidence';
comment on column pipeline.named_films.is_searched is 'was looked for by its title; from then on only films of the same title can be it';

create table pipeline.match_reviews (
    review_id bigint primary key references pipeline.named_films (name_id),
    name text not null,
    candidates jsonb not null,
    status text not null default 'open' check (status in ('open', 'decided')),
    decision bigint check (decision > 0),
    opened_at timestamptz not null default now(),
    decided_at timestamptz,
    check (decision is null or status = 'decided')
);
comment on table pipeline.match_reviews is
    'a named film of which it is not certain which one it is: update … set decision = <TMDB id> (or set status = ''decided'': none of them) where review_id = …';
comment on column pipeline.match_reviews.candidates is 'films with tmdb_id, title, release_year, confidence, matched_by; the likeliest first';

-- Without a foreign key: a release of MovieLens is tens of millions of rows, and names are never deleted.
create table pipeline.watch_entries (
    person text not null,
    source text not null,
    part text not null,
    name_id bigint not null,
    is_wanted boolean not null,
    rating real,
    seen_at timestamptz,
    primary key (person, source, part, name_id)
);
create index on pipeline.watch_entries (name_id);
comment on table pipeline.watch_entries is
    'what a person''s newest file of a kind says of a named film; catalog.watch_histories is made from it';
comment on column pipeline.watch_entries.part is 'which file: watched, diary, ratings, watchlist, or list: and its name';

create table pipeline.imports (
    import_id bigint generated always as identity primary key,
    imported_at timestamptz not null default now(),
    person text,
    source text not null,
    files text[] not null,
    digest text not null,
    counts jsonb not null,
    rejects jsonb not null
);
create index on pipeline.imports (digest);
comment on table pipeline.imports is 'an import: of what, and what came of it';
comment on column pipeline.imports.person is 'null where the files have people of their own (MovieLens)';
comment on column pipeline.imports.digest is 'SHA-256 of what was imported';
comment on column pipeline.imports.rejects is 'the first 100 rows that were not taken: file, line, reason, sample';
