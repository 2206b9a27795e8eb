-- Applied after the migrations whenever it changes: replaces the export lines of a day.

-- Returns the name of the partition with the lines of a day.
create or replace function pipeline.export_partition(media text, day date) returns text
language sql immutable parallel safe
return 'export_lines_' || case media when 'movie' then '' else media || '_' end || to_char(day, 'YYYYMMDD');

-- Moves the temporary table incoming_lines into the partition of the media type's day, with the first line of each id, and returns
-- the number of lines. Drops the partitions of days before both this one and the export that was applied to the ids last.
drop function if exists pipeline.replace_export_lines(date);
create or replace function pipeline.replace_export_lines(day date, media text default 'movie') returns integer
language plpgsql
as $$
declare
    partition_name text := pipeline.export_partition(media, day);
    of_media text := 'exported_' || case media when 'movie' then 'movies' else media end;
    kept integer;
    old_day record;
begin
    execute format('drop table if exists pipeline.%I', partition_name);
    -- By the checks, the lines are not read again when they become a partition.
    execute format(
        'create table pipeline.%I (
             like pipeline.exported_titles including defaults,
             check (export_date = %L), check (title_id >= %s and title_id < %s))',
        partition_name, day, catalog.title_id(media, 0), catalog.title_id(media, 0) + 1000000000);
    execute format(
        'insert into pipeline.%I
         select distinct on (title_id) %L::date, title_id, original_title, popularity, adult, video, softcore
         from incoming_lines order by title_id, line', partition_name, day);
    get diagnostics kept = row_count;
    execute format('alter table pipeline.%I add primary key (export_date, title_id)', partition_name);
    execute format('alter table pipeline.%I attach partition pipeline.%I for values in (%L)', of_media, partition_name, day);
    execute format('analyze pipeline.%I', partition_name);

    for old_day in
        select e.export_date from pipeline.title_exports e
        where e.media_type = media and e.export_date < least(
            day, (select a.export_date from pipeline.title_ids_as_of a where a.media_type = media))
    loop
        execute format('drop table if exists pipeline.%I', pipeline.export_partition(media, old_day.export_date));
    end loop;
    return kept;
end
$$;
