-- Migration: what movies that left the catalogue said of people, companies and the like.
create table pipeline.departed_claims (
    name text not null,
    id bigint not null,
    claim jsonb not null
);
create index on pipeline.departed_claims (name, id);

comment on table pipeline.departed_claims is
'shared rows (people, companies …) as they were when a movie that names them left; kept until the next reconciliation';
comment on column pipeline.departed_claims.name is 'the table of the catalogue';
comment on column pipeline.departed_claims.id is 'the key of its row';
comment on column pipeline.departed_claims.claim is 'the row as it was';
