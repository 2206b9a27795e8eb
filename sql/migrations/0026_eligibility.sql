-- Migration: what decides whether a film belongs in the catalogue lies in columns, so that SQL can evaluate every stored
-- response again each day, for each profile, without reading a body or asking TMDB.

create table pipeline.profiles (
    name text primary key,
    min_popularity double precision not null,
    popularity_rank integer,
    min_vote_count integer not null,
    min_vote_average double precision not null,
    released_since date,
    released_within_days integer,
    min_runtime integer not null,
    max_runtime integer,
    languages text[] not null,
    target integer
);

create table pipeline.evaluation (
    only_row boolean primary key default true check (only_row),
    rules text not null,
    day date not null,
    evaluated_at timestamptz not null
);

create table pipeline.rule_inputs (
    tmdb_id bigint primary key references pipeline.raw_details on delete cascade,
    adult boolean not null,
    video boolean not null,
    softcore boolean not null,
    vote_count integer not null,
    vote_average double precision not null,
    release_date date,
    runtime_minutes integer,
    original_language text,
    seen_at timestamptz not null
);

alter table pipeline.discovered alter column vote_average drop not null;

alter table pipeline.movie_ids
    add column failed_rules jsonb,
    add column unlisted_at timestamptz;

drop index pipeline.movie_ids_looked_at;
create index movie_ids_looked_at on pipeline.movie_ids (batch) include (
    tmdb_id, state, attempts, next_attempt_at, fetched_at, changed_at, unlisted_at, answer_version, release_date,
    detail_reason, failed_rules, kept_on_request, judged_by
) where gone_since is null and export_reason is null;
