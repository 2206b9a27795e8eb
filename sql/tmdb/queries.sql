-- name: record_calls
-- Run when a session with TMDB ends: the counts of its calls.
insert into pipeline.api_calls (
    run_id, started_at, endpoint, status, calls, bytes, p50_ms, p95_ms, max_ms, retries, seconds_waited
)
select :run_id, :started_at, endpoint, status, calls, bytes, p50_ms, p95_ms, max_ms, retries, seconds_waited
from jsonb_to_recordset(cast(:kinds as jsonb)) as k (
    endpoint text, status text, calls integer, bytes bigint, p50_ms real, p95_ms real, max_ms real, retries integer,
    seconds_waited real
)
