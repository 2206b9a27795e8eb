-- Comments: applied last, whenever this file or anything else of the schema changed. It copies the comments of the other files.

-- The former name of a table is a view of its movies, with the comments of the table.
do $$
declare
    renamed record;
    found record;
begin
    for renamed in
        select format('%I.%I', r.schema_name, r.former_name)::regclass as former,
            format('%I.%I', r.schema_name, r.name)::regclass as target
        from pipeline.renamed_tables() r
    loop
        execute format('comment on view %s is %L', renamed.former, format(
            '%s; the movies of %s, by its former name', obj_description(renamed.target, 'pg_class'), renamed.target));
        for found in
            select case when a.attname = 'title_id' then 'tmdb_id' else a.attname end as name,
                case when a.attname = 'title_id' then 'TMDB''s id of the film, as in https://www.themoviedb.org/movie/603'
                    else col_description(a.attrelid, a.attnum) end as comment
            from pg_attribute a where a.attrelid = renamed.target and a.attnum > 0 and not a.attisdropped and exists (
                select from pg_attribute v where v.attrelid = renamed.former
                and v.attname = case when a.attname = 'title_id' then 'tmdb_id' else a.attname end)
        loop
            execute format('comment on column %s.%I is %L', renamed.former, found.name, found.comment);
        end loop;
    end loop;
end
$$;

-- The partitions of one media type have the comments of their table.
do $$
declare
    part record;
    found record;
begin
    for part in
        select i.inhparent as target, i.inhrelid::regclass as partition_name, pg_get_expr(c.relpartbound, c.oid) as bound
        from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_partitioned_table t on t.partrelid = i.inhparent
        where c.relnamespace = 'pipeline'::regnamespace and pg_get_partkeydef(i.inhparent) = 'LIST (media_type)'
    loop
        execute format('comment on table %s is %L', part.partition_name, format(
            '%s; those of %s that are %s', obj_description(part.target, 'pg_class'), part.target::regclass,
            case part.bound when 'FOR VALUES IN (''movie'')' then 'of movies' else 'of series' end));
        for found in
            select a.attname as name, col_description(a.attrelid, a.attnum) as comment
            from pg_attribute a where a.attrelid = part.target and a.attnum > 0 and not a.attisdropped
        loop
            execute format('comment on column %s.%I is %L', part.partition_name, found.name, found.comment);
        end loop;
    end loop;
end
$$;
