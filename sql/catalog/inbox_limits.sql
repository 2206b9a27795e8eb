-- Applied after the migrations whenever it changes: the limits of an application's role for requests in a day (UTC).

-- The first 1,000 requests of a role in a day are urgent: they are fetched before anything else. Those after them are fetched
-- after all other films that are due. Requests after the first 10,000 are refused with program_limit_exceeded (54000). The
-- pipeline's own role has no limit. A reader's request gets the current time, whatever time it has; the text in requested_by
-- has 200 characters at most. Runs before pipeline.take_request, as triggers run in the order of their names.
create or replace function pipeline.limit_request() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    used integer;
begin
    if pg_has_role(session_user, (select c.relowner from pg_class c where c.oid = tg_relid), 'member') then
        return new;
    end if;
    if length(new.requested_by) > 200 then
        raise exception 'requested_by has % characters; it can have 200', length(new.requested_by)
            using errcode = '22001';
    end if;
    insert into pipeline.request_quotas as q (role, day, requests)
    values (session_user, (now() at time zone 'UTC')::date, 1)
    on conflict (role, day) do update set requests = q.requests + 1
    returning q.requests into used;
    if used = 1 then
        delete from pipeline.request_quotas q where q.role = session_user and q.day < (now() at time zone 'UTC')::date;
    end if;
    if used > 10000 then
        raise exception 'the role % has asked for 10,000 ids today (UTC); more are taken tomorrow', session_user
            using errcode = '54000';
    end if;
    new.requested_at := now();
    new.role := session_user;
    new.is_urgent := used <= 1000;
    return new;
end
$$;
create or replace trigger limit_request before insert or update of requested_at, keep on pipeline.requested_titles
for each row execute function pipeline.limit_request();
