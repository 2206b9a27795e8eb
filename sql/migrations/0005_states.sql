-- Migration: what became of each id, requests by applications, discoveries, and the rules that were applied.

-- Which rules a load was kept by: only loads of the same rules keep a comparable share.
alter table pipeline.exports add column kept_by text;

-- The rules in use, in the order in which they are asked: [{"rule": …, "says": …}], for the view pipeline.funnel.
alter table pipeline.ids_as_of
    add column rules jsonb not null default '[]',
    add column target integer;

alter table pipeline.movie_ids
    add column answer_version smallint,
    add column kept_on_request boolean not null default false,
    add column successor_id bigint,
    add column successor_sought_at timestamptz;

-- Every change of an id's state or reason after it was first seen.
create table pipeline.id_history (
    tmdb_id bigint not null,
    changed_at timestamptz not null default now(),
    state_before text not null,
    reason_before text,
    state text not null,
    reason text
);
create index on pipeline.id_history (tmdb_id, changed_at);
create index on pipeline.id_history using brin (changed_at);

create function pipeline.note_id_changes() returns trigger
language plpgsql
as $$
begin
    insert into pipeline.id_history (tmdb_id, state_before, reason_before, state, reason)
    select n.tmdb_id, o.state, o.reason, n.state, n.reason
    from ids_after n join ids_before o using (tmdb_id)
    where (n.state, n.reason) is distinct from (o.state, o.reason);
    return null;
end
$$;
create trigger note_id_changes after update on pipeline.movie_ids
referencing old table as ids_before new table as ids_after
for each statement execute function pipeline.note_id_changes();

-- The inbox: insert an id to have it fetched within the next tick, update requested_at to ask again.
create table pipeline.requested_ids (
    tmdb_id bigint primary key check (tmdb_id > 0),
    keep boolean not null default true,
    requested_by text,
    requested_at timestamptz not null default now(),
    served_at timestamptz,
    outcome text
);
comment on column pipeline.requested_ids.keep is
    'true: the film belongs in the catalogue whatever its votes, age, runtime or language; adult titles and videos do not';
comment on column pipeline.requested_ids.outcome is 'state and reason of the id once it was fetched: accepted, rejected: …, gone: …';

-- What TMDB lists when asked for films with enough votes; replaced at each walk.
create table pipeline.discovered (
    tmdb_id bigint primary key,
    vote_count integer not null,
    vote_average double precision not null,
    release_date date,
    original_language text
);
create table pipeline.discoveries (
    day date primary key,
    min_votes integer not null,
    films integer not null,
    walked_at timestamptz not null,
    run_id text not null
);
