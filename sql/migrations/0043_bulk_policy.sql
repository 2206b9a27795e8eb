-- Migration: bulk jobs that wait for room in the service's queue, their progress, and their files at the service.

alter table pipeline.embedding_batches
    add column tokens bigint not null default 0,
    add column done integer not null default 0,
    add column failed integer not null default 0,
    add column problem text,
    add column files text[] not null default '{}',
    add column queue_limit bigint;

-- Earlier releases left the files of their jobs at the service; the next run deletes those that it knows.
update pipeline.embedding_batches set files = array[input_file_id] where input_file_id is not null;
