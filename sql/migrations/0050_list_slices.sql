-- Migration: TMDB's lists are read in slices, of which a day reads some whole.

create table pipeline.list_slices (
    since date primary key,
    until date not null check (until >= since),
    unshown integer not null,
    walked_at timestamptz not null
);

alter table pipeline.discovered
    add column slice date,
    add column read_at timestamptz not null default now();
update pipeline.discovered set read_at = w.walked_at
from (select max(walked_at) as walked_at from pipeline.discoveries) w
where w.walked_at is not null;

-- The numbers of votes that the profiles asked for; the slices are of no use for others.
alter table pipeline.discoveries add column thresholds integer[] not null default '{}';
