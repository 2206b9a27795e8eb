-- Migration: where each film's popularity is heading, and what every step of every run did.

create table catalog.popularity_trends (
    tmdb_id bigint primary key,
    day date not null,
    days smallint not null,
    recent double precision not null,
    usual double precision not null,
    velocity double precision not null
);
comment on table catalog.popularity_trends is
    'a film''s popularity now against what is usual for it; made anew by each day''s tmdb_discoveries (lists_of_films.sql)';
comment on column catalog.popularity_trends.day is 'the newest day of the history';
comment on column catalog.popularity_trends.days is 'on how many of the last 28 days its popularity is known';
comment on column catalog.popularity_trends.recent is
    'mean of ln(1 + popularity / the catalogue''s median of the day), weights halving each day';
comment on column catalog.popularity_trends.usual is 'the same mean, weights halving each seven days';
comment on column catalog.popularity_trends.velocity is 'recent - usual; 0.7 is about twice as popular as usual';

create table pipeline.run_log (
    log_id integer generated always as identity primary key,
    run_id text not null,
    job text not null,
    step text not null,
    trigger text not null check (trigger in ('schedule', 'sensor', 'person', 'command line')),
    triggered_by text,
    moment timestamptz not null,
    started_at timestamptz not null default clock_timestamp(),
    worked_at timestamptz,
    ended_at timestamptz,
    status text not null default 'running' check (status in ('running', 'succeeded', 'failed', 'stopped', 'killed')),
    reason text,
    checked bigint not null default 0,
    skipped bigint not null default 0,
    fetched bigint not null default 0,
    changed bigint not null default 0,
    failed bigint not null default 0,
    gone bigint not null default 0,
    embedded bigint not null default 0,
    tokens bigint not null default 0,
    dollars numeric(12, 6) not null default 0,
    duration double precision generated always as (extract(epoch from ended_at - started_at)::double precision) stored,
    check ((status = 'running') = (ended_at is null))
);
create unique index on pipeline.run_log (run_id, step);
create index on pipeline.run_log (started_at);
create index on pipeline.run_log (step, started_at);
create index on pipeline.run_log (log_id) where ended_at is null;
comment on table pipeline.run_log is
    'one row is what a step (an asset) did in a run: written when it begins, counted up with each chunk in the chunk''s own '
    'transaction, closed when it ends; pipeline.runs adds the steps of a run up';
comment on column pipeline.run_log.trigger is 'who launched the run: a schedule, a sensor, a person in the web UI, a command';
comment on column pipeline.run_log.triggered_by is 'the schedule''s, sensor''s or command''s name';
comment on column pipeline.run_log.moment is 'the moment that the run works as of; another one than started_at on simulated days';
comment on column pipeline.run_log.worked_at is 'when it last committed a chunk';
comment on column pipeline.run_log.status is
    'stopped: cancelled by a person or a signal; killed: its process vanished, found by whoever looked next';
comment on column pipeline.run_log.checked is 'films, ids or lines that were looked at';
comment on column pipeline.run_log.skipped is 'of those, how many needed nothing, were put off or could not be used';
comment on column pipeline.run_log.fetched is 'answers or lines that came from TMDB and were stored';
comment on column pipeline.run_log.changed is 'rows that are new or other than before';
comment on column pipeline.run_log.failed is 'films or texts without a usable answer';
comment on column pipeline.run_log.gone is 'ids that TMDB has no more, rows that left';
comment on column pipeline.run_log.embedded is 'texts that got a vector';
comment on column pipeline.run_log.duration is 'seconds';
