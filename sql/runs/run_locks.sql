-- Applied after the migrations whenever it changes: whether a run's process lives; see database/run_lock.py.

-- The number of a run's lock among those of the class 0x6D72.
create or replace function pipeline.run_lock_number(run_id text) returns integer
language sql immutable
as $$ select ('x' || left(encode(sha256(convert_to(run_id, 'UTF8')), 'hex'), 8))::bit(32)::integer $$;

-- Whether a process holds a run's lock now.
create or replace function pipeline.run_lives(run_id text) returns boolean
language sql volatile
as $$
    select exists (
        select from pg_locks l
        where l.locktype = 'advisory' and l.objsubid = 2 and l.granted
          and l.classid = x'6D72'::integer::oid and l.objid = pipeline.run_lock_number(run_id)::oid
          and l.database = (select d.oid from pg_database d where d.datname = current_database())
    )
$$;
