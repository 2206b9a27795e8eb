-- Run by the reaper: the numbers of the runs' locks that processes hold at this moment.
select objid::bigint as key
from pg_locks
where locktype = 'advisory' and classid = cast(:lock_class as oid) and objsubid = 2 and granted
  and database = (select oid from pg_database where datname = current_database())
