-- Migration: how far searches go in the index of each embedding set, which is measured and raised by itself.

alter table pipeline.embedding_sets
    add column ef_search integer check (ef_search between 1 and 1000),
    add column tuning text;
comment on column pipeline.embedding_sets.ef_search is
    'number of films that a search of the graph visits; null until it is measured';
comment on column pipeline.embedding_sets.tuning is
    'what the last measurement changed so that searches find the nearest films; null if nothing had to be changed';
