-- Applied after the migrations whenever it changes: replaces the export lines of a day.

-- Moves the temporary table incoming_lines into the day's partition, with the first line of each id, and returns the number
-- of lines. Drops the partitions of days before both this one and the export that was applied to the ids last.
create or replace function pipeline.replace_export_lines(day date) returns integer
language plpgsql
as $$
declare
    partition_name text := 'export_lines_' || to_char(day, 'YYYYMMDD');
    kept integer;
    old_day record;
begin
    execute format('drop table if exists pipeline.%I', partition_name);
    execute format(
        'create table pipeline.%I (like pipeline.exported_titles including defaults, check (export_date = %L))',
        partition_name, day);
    execute format(
        'insert into pipeline.%I
         select distinct on (title_id) %L::date, title_id, original_title, popularity, adult, video, softcore
         from incoming_lines order by title_id, line', partition_name, day);
    get diagnostics kept = row_count;
    execute format('alter table pipeline.%I add primary key (export_date, title_id)', partition_name);
    execute format(
        'alter table pipeline.exported_titles attach partition pipeline.%I for values in (%L)', partition_name, day);
    execute format('analyze pipeline.%I', partition_name);

    for old_day in
        select e.export_date from pipeline.exports e
        where e.export_date < least(day, (select export_date from pipeline.ids_as_of))
    loop
        execute format('drop table if exists pipeline.%I', 'export_lines_' || to_char(old_day.export_date, 'YYYYMMDD'));
    end loop;
    return kept;
end
$$;
