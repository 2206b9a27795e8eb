-- Migration: what a check asks of every vector, and what scores were computed from, are kept beside them: to read all
-- vectors each day took longer the more there are.

alter table pipeline.embeddings
    add column dimensions integer not null generated always as (vector_dims(embedding)) stored,
    add column length double precision not null generated always as (vector_norm(embedding)) stored;
comment on column pipeline.embeddings.dimensions is 'of the vector, counted by the database whenever it is written';
comment on column pipeline.embeddings.length is
    'Euclidean norm of the vector, computed by the database whenever it is written; NaN when one of its values is none';

alter table catalog.rating_methods add column fingerprint text;
comment on column catalog.rating_methods.computed_at is 'votes and ratings that came by then are covered';
comment on column catalog.rating_methods.fingerprint is
    'names what the scores were computed from, and the scores: while it is the same, nothing has to be computed again';
