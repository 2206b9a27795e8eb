-- Migration: how many known ids an export lacks, and the ids that wait until a later export confirms that they left.

alter table pipeline.exports
    add column unidentified_lines integer not null default 0,
    add column unreadable_ids bigint[] not null default '{}',
    add column is_accepted boolean not null default false,
    add column ids_known integer,
    add column ids_missing integer,
    add column days_since integer,
    add column is_usual boolean,
    add column newer_is_unusable text;
comment on column pipeline.exports.unidentified_lines is
    'rejected lines that do not show their id; while there are any, no id is deleted for missing';
comment on column pipeline.exports.unreadable_ids is 'ids of the other rejected lines; they count as listed';
comment on column pipeline.exports.is_accepted is 'a person accepted this export as it is: what it lacks is deleted at once';
comment on column pipeline.exports.ids_known is 'living ids when this export was applied';
comment on column pipeline.exports.ids_missing is 'of those, how many this export was the first to lack';
comment on column pipeline.exports.days_since is 'days since the export that was applied before';
comment on column pipeline.exports.is_usual is
    'whether as many ids were missing as in the last loads; of an unusual export, the missing ids are held';

comment on column pipeline.exports.newer_is_unusable is
    'why the export of the day that was asked for could not be used; null where this is that export';

alter table pipeline.movie_ids add column missing_since date;
comment on column pipeline.movie_ids.missing_since is
    'the first export that lacks the id, which is held until an export of a later day lacks it too; null: it is listed';
create index on pipeline.movie_ids (missing_since) where missing_since is not null;
