-- Migration: what is broken, to whom that was told, what nobody wants to hear of, and who is alive.
create table pipeline.alerts (
    alert_id bigint generated always as identity primary key,
    kind text not null check (kind in ('check', 'job', 'freshness', 'sensor', 'schedule', 'daemon')),
    place text not null,
    name text not null,
    severity text not null check (severity in ('WARN', 'ERROR')),
    says text not null,
    expected text not null,
    figures jsonb not null,
    evidence text not null,
    link text not null,
    began_at timestamptz not null,
    noticed_at timestamptz not null,
    ended_at timestamptz check (ended_at >= noticed_at),
    ended_how text check (ended_how in ('recovered', 'gone')),
    is_hushed boolean not null default false,
    check ((ended_at is null) = (ended_how is null))
);
create unique index on pipeline.alerts (kind, place, name) where ended_at is null;
comment on table pipeline.alerts is 'one row is one time that something was broken, from the failure to the recovery';
comment on column pipeline.alerts.place is 'the asset of a check; empty for what has no asset';
comment on column pipeline.alerts.severity is 'the worst since it began';
comment on column pipeline.alerts.evidence is 'the event or run that said it last, by its id';
comment on column pipeline.alerts.link is 'path in the web UI';
comment on column pipeline.alerts.is_hushed is 'it ended while it was muted, and whoever had not heard of it need not';

-- Where alerts go. A destination that fails is tried again with growing distance; what it has not been told is what
-- pipeline.alert_deliveries does not have.
create table pipeline.alert_destinations (
    destination text primary key,
    since timestamptz not null,
    failures integer not null default 0,
    next_attempt_at timestamptz not null,
    failing_since timestamptz,
    last_error text,
    last_delivered_at timestamptz
);
comment on table pipeline.alert_destinations is 'somebody who is told, and how well that goes';

create table pipeline.alert_deliveries (
    destination text not null references pipeline.alert_destinations on delete cascade,
    alert_id bigint not null references pipeline.alerts on delete cascade,
    event text not null check (event in ('broken', 'worse', 'recovered', 'came_and_went')),
    severity text not null check (severity in ('WARN', 'ERROR')),
    delivered_at timestamptz not null,
    primary key (destination, alert_id, event)
);
create index on pipeline.alert_deliveries (alert_id);
comment on table pipeline.alert_deliveries is 'what a destination was told of an alert';

create table pipeline.alert_mutes (
    name text primary key,
    muted_at timestamptz not null,
    until timestamptz not null check (until > muted_at)
);
comment on table pipeline.alert_mutes is 'a name that is not told of until then';
comment on column pipeline.alert_mutes.name is 'the name of a check, job, sensor, schedule, daemon or asset';

create table pipeline.heartbeats (
    name text primary key,
    beat_at timestamptz not null
);
comment on table pipeline.heartbeats is 'when something that cannot report its own death last said that it is alive';
