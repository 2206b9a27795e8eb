-- Migration: what the calls to TMDB came to, run by run.
create table pipeline.api_calls (
    run_id text not null,
    called_at timestamptz not null default now(),
    endpoint text not null,
    status text not null,
    calls integer not null,
    bytes bigint not null,
    p50_ms real not null,
    p95_ms real not null,
    max_ms real not null,
    retries integer not null,
    seconds_waited real not null
);
create index on pipeline.api_calls (called_at);
comment on table pipeline.api_calls is
    'Calls to TMDB by run, endpoint and HTTP status (or the failure''s name); kept for 90 days';
comment on column pipeline.api_calls.bytes is 'of bodies, decompressed; of an export as it came';
comment on column pipeline.api_calls.seconds_waited is 'for the shared pace and for pauses, summed over concurrent calls';
