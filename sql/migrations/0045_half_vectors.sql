-- Migration: the vectors that were paid for are kept in half precision, in which they have always been searched. The table is
-- rewritten, which takes about a second for 20,000 films; searches do not read it and go on meanwhile.

alter table pipeline.embeddings drop column dimensions, drop column length;
-- A value beyond the range of half precision is no value of a vector of length 1; the text is embedded again.
delete from pipeline.embeddings where not vector_norm(embedding) < 60000;
alter table pipeline.embeddings
    alter column embedding type halfvec using embedding::halfvec,
    alter column embedding set storage extended;
alter table pipeline.embeddings
    add column dimensions integer not null generated always as (vector_dims(embedding)) stored,
    add column length double precision not null generated always as (l2_norm(embedding)) stored;
