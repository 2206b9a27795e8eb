-- Migration: what checks read when they are executed without their asset, and alerts on backfills.

-- One row is something that a step refused at its last attempt and that is not resolved yet.
create table pipeline.refusals (
    step text not null,
    subject text not null default '',
    reason text not null,
    run_id text not null,
    refused_at timestamptz not null,
    primary key (step, subject)
);
comment on table pipeline.refusals is
    'one row is an input that a step refused at its last attempt; the row is deleted when a later attempt accepts it';
comment on column pipeline.refusals.step is 'the asset whose step refused it';
comment on column pipeline.refusals.subject is 'the file, where a step reads several; empty for a step with one input';
comment on column pipeline.refusals.reason is 'why it was refused';
comment on column pipeline.refusals.run_id is 'the Dagster run that refused it';
comment on column pipeline.refusals.refused_at is 'when that run refused it';

alter table pipeline.exports add column asked_for date;
comment on column pipeline.exports.asked_for is
    'the day that the last load of this export was asked for; later than export_date when TMDB had no newer export';

-- The result of the last look of the asset health: the checks read the services'' findings here.
create table pipeline.health_findings (
    name text primary key,
    severity text not null check (severity in ('ok', 'warn', 'error', 'unknown')),
    message text not null,
    found integer not null,
    examples text[] not null,
    next_step text not null,
    is_service boolean not null,
    run_id text not null,
    looked_at timestamptz not null
);
comment on table pipeline.health_findings is
    'one row is a finding of the last run of health; a check that is executed alone takes those on services from here';
comment on column pipeline.health_findings.name is 'what was looked at: source, embedder, disk, export, runs …';
comment on column pipeline.health_findings.severity is 'ok, warn, error, or unknown when it could not be looked at';
comment on column pipeline.health_findings.message is 'what was found, in one sentence';
comment on column pipeline.health_findings.found is 'how many films, ids, calls or steps the finding is about';
comment on column pipeline.health_findings.examples is 'some of them';
comment on column pipeline.health_findings.next_step is 'what to do about it; empty when nothing is to be done';
comment on column pipeline.health_findings.is_service is
    'it is about a service or the disk and not about the database, so that only health itself looks at it again';
comment on column pipeline.health_findings.run_id is 'the Dagster run that found it';
comment on column pipeline.health_findings.looked_at is 'when that run looked';

alter table pipeline.alerts drop constraint alerts_kind_check;
alter table pipeline.alerts add constraint alerts_kind_check
    check (kind in ('check', 'job', 'backfill', 'freshness', 'sensor', 'schedule', 'daemon'));
