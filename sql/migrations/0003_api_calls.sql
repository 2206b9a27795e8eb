-- Migration: what the calls to TMDB came to, session by session of each run.
create table pipeline.api_calls (
    id bigint generated always as identity primary key,
    run_id text not null,
    started_at timestamptz not null,
    ended_at timestamptz not null default now(),
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
create index on pipeline.api_calls (started_at);
create index on pipeline.api_calls (run_id);
comment on table pipeline.api_calls is
    'Calls to TMDB by session, endpoint (movie, export, changes, discover, find) and HTTP status or the failure''s name; '
    'kept for 90 days';
comment on column pipeline.api_calls.started_at is 'when the session began; a run can have several';
comment on column pipeline.api_calls.bytes is 'of bodies, unpacked; of an export as it came';
comment on column pipeline.api_calls.seconds_waited is
    'for the shared pace and for pauses, summed over calls that waited at the same time';
