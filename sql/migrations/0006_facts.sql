-- Migration: what is around a film in tables of its own, the history of its numbers, and keys that TMDB added.

alter table catalog.movies add column facts_hash text;
comment on column catalog.movies.facts_hash is 'names the rows of the tables around the film; they are rewritten when it changes';

do $$
begin
    alter table pipeline.raw_details alter column body set compression lz4;
exception when feature_not_supported then
    null;  -- a server built without lz4 compresses in its own way
end
$$;

create table catalog.people (
    person_id bigint primary key,
    name text not null,
    gender smallint,
    profile_path text
);
comment on column catalog.people.gender is '1 female, 2 male, 3 non-binary, null unknown';
create table catalog.movie_cast (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    person_id bigint not null references catalog.people,
    billing smallint not null,
    character text,
    primary key (tmdb_id, person_id)
);
comment on table catalog.movie_cast is 'the first 30 by billing; billing 0 is the lead';
create index on catalog.movie_cast (person_id);
create table catalog.movie_crew (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    person_id bigint not null references catalog.people,
    job text not null,
    department text,
    primary key (tmdb_id, person_id, job)
);
create index on catalog.movie_crew (person_id);

create table catalog.genres (genre_id bigint primary key, name text not null);
create table catalog.movie_genres (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    genre_id bigint not null references catalog.genres,
    primary key (tmdb_id, genre_id)
);
create index on catalog.movie_genres (genre_id);
create table catalog.keywords (keyword_id bigint primary key, name text not null);
create table catalog.movie_keywords (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    keyword_id bigint not null references catalog.keywords,
    primary key (tmdb_id, keyword_id)
);
create index on catalog.movie_keywords (keyword_id);
create table catalog.companies (company_id bigint primary key, name text not null, country text, logo_path text);
create table catalog.movie_companies (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    company_id bigint not null references catalog.companies,
    primary key (tmdb_id, company_id)
);
create index on catalog.movie_companies (company_id);
create table catalog.collections (collection_id bigint primary key, name text not null, poster_path text);
create table catalog.movie_collections (
    tmdb_id bigint primary key references catalog.movies on delete cascade,
    collection_id bigint not null references catalog.collections
);
create index on catalog.movie_collections (collection_id);

create table catalog.movie_countries (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    country text not null,
    name text,
    primary key (tmdb_id, country)
);
comment on column catalog.movie_countries.country is 'of production, ISO 3166-1';
create table catalog.movie_languages (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    language text not null,
    name text,
    primary key (tmdb_id, language)
);
comment on column catalog.movie_languages.language is 'spoken, ISO 639-1';
create table catalog.movie_certifications (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    country text not null,
    certification text not null,
    release_type smallint,
    released date,
    primary key (tmdb_id, country)
);
comment on column catalog.movie_certifications.release_type is
    '1 premiere, 2 limited, 3 theatrical (preferred), 4 digital, 5 physical, 6 TV';
create table catalog.movie_external_ids (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    source text not null,
    value text not null,
    primary key (tmdb_id, source)
);
create index on catalog.movie_external_ids (source, value);
create table catalog.movie_videos (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    key text not null,
    site text,
    name text,
    kind text,
    language text,
    is_official boolean not null,
    published date,
    primary key (tmdb_id, key)
);
create table catalog.movie_translations (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    language text not null,
    country text not null,
    title text,
    overview text,
    tagline text,
    primary key (tmdb_id, language, country)
);
create table catalog.movie_alternative_titles (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    country text not null,
    title text not null,
    kind text,
    primary key (tmdb_id, country, title)
);
create table catalog.watch_providers (provider_id bigint primary key, name text not null);
create table catalog.movie_watch_providers (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    country text not null,
    kind text not null,
    provider_id bigint not null references catalog.watch_providers,
    link text,
    primary key (tmdb_id, country, kind, provider_id)
);
comment on table catalog.movie_watch_providers is 'data of JustWatch, to be credited wherever it is shown';
comment on column catalog.movie_watch_providers.kind is 'flatrate, free, ads, rent or buy';

-- Popularity and votes of accepted films, one row for each day on which they moved.
create table catalog.movie_stats_history (
    tmdb_id bigint not null references catalog.movies on delete cascade,
    day date not null,
    popularity double precision not null,
    vote_average double precision not null,
    vote_count integer not null,
    primary key (tmdb_id, day)
);

-- Top-level keys of TMDB's answers that the parser does not know: what TMDB added without a word.
create table pipeline.unknown_keys (
    key text primary key,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    answers bigint not null
);

drop view catalog.attribution;
create view catalog.attribution as
select 'TMDB' as source, 'This product uses the TMDB API but is not endorsed or certified by TMDB.' as notice,
    'https://www.themoviedb.org' as link, 'all films' as applies_to
union all
select 'JustWatch', 'Watch providers by JustWatch.', 'https://www.justwatch.com', 'catalog.movie_watch_providers';
