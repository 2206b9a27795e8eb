-- Migration: what the last run met for each embedding set, by which health is judged.

alter table pipeline.embedding_sets add column last_run_at timestamptz;
comment on column pipeline.embedding_sets.last_run_at is
    'when the last run of movie_embeddings for this set ended; null if none ended since it is recorded';

-- A run that had no text to embed, or was stopped before the first answer, met nothing and leaves the row as it is.
create table pipeline.embedding_outcomes (
    set_id smallint primary key references pipeline.embedding_sets on delete cascade,
    run_id text not null,
    texts integer not null,
    embedded integer not null,
    refused integer not null,
    in_flight integer not null,
    problem text,
    ended_at timestamptz not null
);
comment on table pipeline.embedding_outcomes is
    'one row is what the last run of movie_embeddings met that asked for vectors of an embedding set';
comment on column pipeline.embedding_outcomes.set_id is 'embedding set, a row of pipeline.embedding_sets';
comment on column pipeline.embedding_outcomes.run_id is
    'Dagster''s id of the run that did it; the web UI shows it under /runs/<id>';
comment on column pipeline.embedding_outcomes.texts is 'number of texts that were due in the run';
comment on column pipeline.embedding_outcomes.embedded is 'number of texts that got their vector in the run';
comment on column pipeline.embedding_outcomes.refused is 'number of texts for which the service returned no vector';
comment on column pipeline.embedding_outcomes.in_flight is
    'number of texts that were in bulk jobs at the service when the run ended';
comment on column pipeline.embedding_outcomes.problem is
    'message of the service or the budget that ended the run early, else of the last text that was refused; null if none';
comment on column pipeline.embedding_outcomes.ended_at is 'when the run ended';

-- A service is judged by a request to it and by what runs met: two findings of one name.
alter table pipeline.health_findings drop constraint health_findings_pkey, add primary key (name, is_service);
