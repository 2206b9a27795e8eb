-- Migration: the pipeline's bookkeeping. Applications do not read this schema.
create schema pipeline;

-- Which of the 64 fixed batches a film belongs to; movie_assets/partitions.py says the same.
create function pipeline.batch_of(tmdb_id bigint) returns smallint
language sql immutable strict parallel safe
return (tmdb_id % 64)::smallint;

-- One row for each export day that was loaded, whatever day was asked for.
create table pipeline.exports (
    export_date date primary key,
    source text not null,
    url text not null,
    lines integer not null,
    rejected_lines integer not null,
    duplicate_lines integer not null,
    median_popularity double precision,
    kept integer,
    min_popularity double precision,
    loaded_at timestamptz not null,
    run_id text not null
);

-- The lines themselves, one partition a day; a day that is no longer needed is dropped whole.
create table pipeline.export_lines (
    export_date date not null,
    tmdb_id bigint not null,
    original_title text not null,
    popularity double precision not null,
    adult boolean not null,
    video boolean not null,
    softcore boolean not null,
    primary key (export_date, tmdb_id)
) partition by list (export_date);

-- Which export the ids stand on: one row, never moved to an older day.
create table pipeline.ids_as_of (
    only_row boolean primary key default true check (only_row),
    export_date date not null,
    min_popularity double precision not null
);

-- Every id that TMDB ever showed us, with its state. Popularity, which moves daily, stays in the export.
create table pipeline.movie_ids (
    tmdb_id bigint primary key,
    batch smallint not null generated always as (pipeline.batch_of(tmdb_id)) stored,
    original_title text not null,
    first_seen date not null,
    gone_since date,
    gone_reason text,
    export_reason text,
    detail_reason text,
    fetched_at timestamptz,
    release_date date,
    changed_at timestamptz,
    attempts smallint not null default 0,
    next_attempt_at timestamptz,
    last_error text,
    judged_by text,
    state text not null generated always as (
        case
            when gone_since is not null then 'gone'
            when export_reason is not null then 'rejected'
            when fetched_at is null and attempts > 0 then 'failed'
            when judged_by is null then 'candidate'
            when detail_reason is not null then 'rejected'
            else 'accepted'
        end
    ) stored,
    reason text generated always as (
        case when gone_since is null then coalesce(export_reason, detail_reason, last_error) else gone_reason end
    ) stored
);
create index on pipeline.movie_ids (batch) where gone_since is null and export_reason is null;
create index on pipeline.movie_ids (state);

-- TMDB's answers as they came (unstorable characters taken out): a new column or rule needs no new call.
create table pipeline.raw_details (
    tmdb_id bigint primary key references pipeline.movie_ids,
    body jsonb not null,
    fetched_at timestamptz not null
);

-- The days of TMDB's change feed that were read, and when an id was first seen in them.
create table pipeline.change_days (
    change_date date primary key,
    ids integer not null,
    read_at timestamptz not null
);
create table pipeline.changes (
    change_date date not null,
    tmdb_id bigint not null,
    seen_at timestamptz not null,
    primary key (change_date, tmdb_id)
);

-- Input that was refused, with enough of it to see why.
create table pipeline.rejects (
    reject_id bigint generated always as identity primary key,
    stage text not null,
    tmdb_id bigint,
    reason text not null,
    sample text not null check (length(sample) <= 500),
    run_id text not null,
    rejected_at timestamptz not null
);
create index on pipeline.rejects (stage, rejected_at);

-- Provider + model + dimensions + template name a set of vectors that may be compared with one another.
create table pipeline.embedding_sets (
    set_id smallint generated always as identity primary key,
    provider text not null,
    model text not null,
    dimensions integer not null check (dimensions between 8 and 4000),
    template text not null,
    created_at timestamptz not null default now(),
    is_active boolean not null default false,
    unique (provider, model, dimensions, template)
);
create unique index one_active_set on pipeline.embedding_sets (is_active) where is_active;

-- Every vector that was paid for. A film that leaves and returns needs no new one.
create table pipeline.embeddings (
    set_id smallint not null references pipeline.embedding_sets,
    tmdb_id bigint not null,
    batch smallint not null generated always as (pipeline.batch_of(tmdb_id)) stored,
    text_hash text not null,
    embedding vector not null,
    embedded_at timestamptz not null,
    primary key (set_id, tmdb_id)
);
create index on pipeline.embeddings (set_id, batch);

-- What each run embedded and what it cost.
create table pipeline.embedding_costs (
    cost_id bigint generated always as identity primary key,
    set_id smallint not null references pipeline.embedding_sets,
    run_id text not null,
    texts integer not null,
    tokens bigint not null,
    dollars numeric(12, 6) not null,
    spent_at timestamptz not null
);

-- The next free moment of each paced service, for all processes together (see reserve_call.sql).
create table pipeline.pace (
    service text primary key,
    next_at timestamptz not null default '-infinity'
);
insert into pipeline.pace (service) values ('tmdb');
