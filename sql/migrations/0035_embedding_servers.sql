-- Migration: what embeddings servers of other makes do: cut texts, and answer under another model's name.

alter table pipeline.embeddings add column is_cut boolean not null default false;
comment on column pipeline.embeddings.is_cut is
    'whether the vector is of the beginning of the text only, because the service does not take it as long as it is';

alter table pipeline.embedding_sets add column answered_by text;
comment on column pipeline.embedding_sets.answered_by is
    'name of the model that the service gave with the first vectors of the set; null if it gives none';

alter table pipeline.embedding_outcomes add column answered_by text;
comment on column pipeline.embedding_outcomes.answered_by is
    'name of the model that the service gave with the last vectors of the run; null if it gives none';
