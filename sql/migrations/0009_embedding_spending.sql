-- Migration: what embedding may cost before it has, texts that get no vector, and batches that a service works on.

alter table pipeline.embedding_costs
    add column is_bulk boolean not null default false,
    add column text_bytes bigint not null default 0;
comment on column pipeline.embedding_costs.text_bytes is 'UTF-8 bytes of the texts that were charged; 0 where nobody counted';
create index on pipeline.embedding_costs (spent_at);
create index on pipeline.embedding_costs (run_id);

-- One row is a request that may cost so much at most. It goes when its cost is recorded; that of a killed run stays,
-- as nobody knows what was charged, and counts for its day.
create table pipeline.embedding_reservations (
    reservation_id bigint generated always as identity primary key,
    set_id smallint not null references pipeline.embedding_sets on delete cascade,
    run_id text not null,
    tokens bigint not null,
    dollars numeric(12, 6) not null,
    reserved_at timestamptz not null
);
create index on pipeline.embedding_reservations (reserved_at);

-- One row is a text that the service gave no vector for: it is left alone until next_attempt_at.
create table pipeline.refused_texts (
    set_id smallint not null references pipeline.embedding_sets on delete cascade,
    text_hash text not null,
    reason text not null,
    attempts smallint not null,
    next_attempt_at timestamptz not null,
    primary key (set_id, text_hash)
);

-- One row is a batch for the service's Batch API. It is written before anything is sent: whoever finds it after a
-- kill asks the service for a batch with its token in the metadata.
create table pipeline.embedding_batches (
    bulk_id bigint generated always as identity primary key,
    token text not null unique,
    set_id smallint not null references pipeline.embedding_sets on delete cascade,
    run_id text not null,
    reservation_id bigint,
    texts integer not null,
    moment timestamptz not null,
    input_file_id text,
    service_id text,
    service_status text,
    seen_at timestamptz,
    ended_at timestamptz,
    stored integer not null default 0
);
comment on column pipeline.embedding_batches.moment is 'that of the run that sent it; its cost belongs to this day';
create index on pipeline.embedding_batches (set_id) where ended_at is null;

-- Texts of batches in flight, which no run may pay for again. A row goes when its vector is stored or refused, or
-- when the batch has ended without it.
create table pipeline.embedding_batch_texts (
    bulk_id bigint not null references pipeline.embedding_batches on delete cascade,
    text_hash text not null,
    primary key (bulk_id, text_hash)
);
create index on pipeline.embedding_batch_texts (text_hash);
