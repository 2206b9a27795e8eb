-- Run by `make docs` and by the test that holds what it wrote: tables and views with their columns; not those of embedding sets.
select c.relnamespace::regnamespace::text || '.' || c.relname as name,
       case when c.relkind in ('v', 'm') then 'view' else 'table' end as kind,
       coalesce(obj_description(c.oid, 'pg_class'), '') as comment,
       jsonb_agg(
           jsonb_strip_nulls(jsonb_build_object(
               'name', a.attname,
               'type', format_type(a.atttypid, a.atttypmod),
               'nullable', case when a.attnotnull then 'no' else 'yes' end,
               'comment', col_description(c.oid, a.attnum)
           )) order by a.attnum
       ) as columns
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace in ('catalog'::regnamespace, 'pipeline'::regnamespace)
  and c.relkind in ('r', 'p', 'v', 'm')
  and not c.relispartition
  and c.relname !~ '^movie_vectors_\d+$'
group by c.oid, c.relnamespace, c.relname, c.relkind
order by 1
