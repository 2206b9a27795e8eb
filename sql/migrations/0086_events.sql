-- Migration: what changed in the catalogue, in an order that readers can follow without missing a change, and the webhooks that
-- receive it. sql/events has the triggers.

-- sequence is null until the transaction of the change commits, and so is never null for anybody else (number_events).
create table catalog.events (
    event_id bigint generated always as identity,
    sequence bigint unique,
    occurred_at timestamptz not null default now(),
    title_id bigint not null,
    media_type text not null generated always as (case when title_id < 1000000000 then 'movie' else 'series' end) stored,
    kind text not null check (kind ~ '^[a-z][a-z_]{1,39}$'),
    fields text[],
    payload jsonb not null default '{}'
);
create unique index on catalog.events (event_id) where sequence is null;

-- One row. Its lock is what puts transactions with events in one order.
create table catalog.event_bounds (
    is_only boolean primary key default true check (is_only),
    last_sequence bigint not null,
    deleted_to bigint not null,
    began_at timestamptz
);
insert into catalog.event_bounds (last_sequence, deleted_to) values (0, 0);

-- A row for each transaction that has written events and has not numbered them yet; nobody else ever sees one.
create table pipeline.event_writes (transaction_id xid8 primary key);

-- The titles as of the last event that was deleted: a hash of each field, as TMDB's texts may not be kept for six months.
create table pipeline.event_baseline (
    title_id bigint primary key,
    fields jsonb not null
);

create table pipeline.webhooks (
    name text primary key,
    delivered_to bigint not null,
    sending_to bigint,
    delivered bigint not null default 0,
    attempts integer not null default 0,
    next_attempt_at timestamptz,
    failing_since timestamptz,
    last_error text,
    lost_to bigint,
    delivered_at timestamptz
);
