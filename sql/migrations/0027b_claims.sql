-- Migration: what reconciliation notes while it reads the stored responses again.

-- Not logged: it is filled and emptied within a run, so that a crash of the server has nothing to restore.
create unlogged table pipeline.shared_claims (
    name text not null,
    id bigint not null,
    is_confirmed boolean not null,
    claim jsonb not null,
    seen_at timestamptz not null,
    primary key (name, id)
);
comment on table pipeline.shared_claims is
    'one row is what the films'' responses say of a person, genre, keyword, company, collection or provider, while reconciliation runs';
comment on column pipeline.shared_claims.name is 'the table of the catalogue';
comment on column pipeline.shared_claims.id is 'the key of its row';
comment on column pipeline.shared_claims.is_confirmed is 'a response says what is stored';
comment on column pipeline.shared_claims.claim is 'the row as the newest response says it';
comment on column pipeline.shared_claims.seen_at is 'when that response was fetched';
