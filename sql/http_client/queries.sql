-- name: pause_calls
-- Run when a service asks for a pause: no permit is given before its end. Parameters in psycopg style.
update pipeline.pace
set next_at = greatest(next_at, clock_timestamp() + make_interval(secs => %(seconds)s))
where service = %(service)s
returning extract(epoch from next_at - clock_timestamp())::double precision


-- name: reserve_call
-- Run before each call of a service: reserves the next permit and returns the seconds until it. All processes share the
-- row (the generic cell rate algorithm without burst), so that calls are spaced evenly. Parameters in psycopg style, as the
-- rate limiter uses the driver directly.
update pipeline.pace
set next_at = greatest(next_at, clock_timestamp()) + make_interval(secs => %(interval)s)
where service = %(service)s
returning extract(epoch from next_at - clock_timestamp())::double precision - %(interval)s
