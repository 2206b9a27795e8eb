-- Migration: a text can be embedded again although it did not change. movie_vectors then replaces the vector that searches see.
alter table pipeline.embeddings add column is_replaced boolean not null default false;
create index embeddings_replaced on pipeline.embeddings (set_id, tmdb_id) where is_replaced;
