-- Migration: how many ids the roles of applications may ask for.
alter table pipeline.requested_ids
    add column role name,
    add column is_urgent boolean not null default true;
update pipeline.requested_ids set requested_at = now() where not isfinite(requested_at);
update pipeline.requested_ids set requested_by = left(requested_by, 200) where length(requested_by) > 200;
alter table pipeline.requested_ids
    add constraint requested_at_is_finite check (isfinite(requested_at)),
    add constraint requested_by_is_short check (length(requested_by) <= 200);

create table pipeline.request_quotas (
    role name not null,
    day date not null,
    requests integer not null,
    primary key (role, day)
);
