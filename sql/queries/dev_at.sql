-- Run by `movie-assets dev` that finds another at work on this catalogue: the name of the connection that holds its lock.
select a.application_name
from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.classid = 0 and l.objid = cast(:lock as bigint)::oid
  and l.database = (select d.oid from pg_database d where d.datname = current_database())
