-- Migration: what each trigger decided last, and what the weekly recount found.

create table pipeline.triggers (
    name text primary key,
    job text not null,
    work integer not null,
    tries integer not null,
    launched_at timestamptz,
    given_up_at timestamptz,
    says text not null,
    decided_at timestamptz not null
);
comment on table pipeline.triggers is 'a trigger as it decided last';
comment on column pipeline.triggers.given_up_at is 'since when it launches nothing because runs were in vain';
comment on column pipeline.triggers.decided_at is 'when it last decided otherwise than before';
comment on column pipeline.triggers.work is 'what was to do at the last launch, 0 when nothing is left';

create table pipeline.reconciliations (
    reconciled_at timestamptz not null,
    agreement text not null,
    rows_compared bigint not null,
    rows_differing bigint not null,
    examples text[] not null,
    repaired bigint not null default 0,
    run_id text not null,
    primary key (reconciled_at, agreement)
);
comment on table pipeline.reconciliations is 'an agreement between two tables, as a recount found it';
comment on column pipeline.reconciliations.examples is 'up to five keys of rows that differ';
comment on column pipeline.reconciliations.repaired is 'rows that were made due again, for the next run of their asset';
