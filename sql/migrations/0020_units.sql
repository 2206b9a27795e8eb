-- Migration: units of work that were committed, so that none is done twice when only the server's answer was lost.
create table pipeline.units (
    unit uuid primary key,
    begun_at timestamptz not null default now()
);
create index on pipeline.units (begun_at);
comment on table pipeline.units is
    'one row is a unit of work of the last day that was committed; it is written first, in the unit''s own transaction';
