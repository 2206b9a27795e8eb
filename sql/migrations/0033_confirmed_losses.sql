-- Migration: how many of the ids that an export was the first to lack were missing from a later export, too.
alter table pipeline.exports add column ids_confirmed integer not null default 0;
comment on column pipeline.exports.ids_confirmed is
    'number of its missing ids that were held, and that an export of a later day did not list either';
