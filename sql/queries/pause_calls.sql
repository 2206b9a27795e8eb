-- Run when a paced service asks for a pause: nobody's turn comes before it is over. Parameters in psycopg style.
update pipeline.pace
set next_at = greatest(next_at, clock_timestamp() + make_interval(secs => %(seconds)s))
where service = %(service)s
returning extract(epoch from next_at - clock_timestamp())::double precision
