-- name: pause_calls
-- Run when a paced service asks for a pause: nobody's turn comes before it is over. Parameters in psycopg style.
update pipeline.pace
set next_at = greatest(next_at, clock_timestamp() + make_interval(secs => %(seconds)s))
where service = %(service)s
returning extract(epoch from next_at - clock_timestamp())::double precision


-- name: reserve_call
-- Run before each call of a paced service: takes the next free moment and tells how many seconds it is away.
-- Parameters in psycopg style, as the pacer uses the driver itself. One row for all processes (the generic cell rate algorithm without burst): calls are spaced evenly.
update pipeline.pace
set next_at = greatest(next_at, clock_timestamp()) + make_interval(secs => %(interval)s)
where service = %(service)s
returning extract(epoch from next_at - clock_timestamp())::double precision - %(interval)s
