-- Migration: the tables are about titles, which are movies and, later, series. Their key is title_id: that of a movie is its
-- tmdb_id, that of a series 1,000,000,000 + its tmdb_id (see 0060b_media_types.sql). Tables, columns, indexes, constraints and
-- trigger functions get other names, and no row is rewritten. The former name of each table is a view of its movies with the
-- former columns. Statements that read or write it go on working, with the rights that roles had on the table. Foreign
-- keys and views of applications follow their table by themselves.

-- The tables that were renamed, with their former names, schema for schema.
create function pipeline.renamed_tables() returns table (schema_name text, former_name text, name text)
language sql immutable parallel safe
as $$
    values
        ('catalog', 'movies', 'titles'),
        ('catalog', 'movie_stats', 'title_stats'),
        ('catalog', 'movie_stats_history', 'title_stats_history'),
        ('catalog', 'movie_cast', 'title_cast'),
        ('catalog', 'movie_crew', 'title_crew'),
        ('catalog', 'movie_genres', 'title_genres'),
        ('catalog', 'movie_keywords', 'title_keywords'),
        ('catalog', 'movie_companies', 'title_companies'),
        ('catalog', 'movie_collections', 'title_collections'),
        ('catalog', 'movie_countries', 'title_countries'),
        ('catalog', 'movie_languages', 'title_languages'),
        ('catalog', 'movie_certifications', 'title_certifications'),
        ('catalog', 'movie_external_ids', 'title_external_ids'),
        ('catalog', 'movie_videos', 'title_videos'),
        ('catalog', 'movie_translations', 'title_translations'),
        ('catalog', 'movie_alternative_titles', 'title_alternative_titles'),
        ('catalog', 'movie_watch_providers', 'title_watch_providers'),
        ('catalog', 'movie_names', 'title_names'),
        ('catalog', 'search_documents', 'title_documents'),
        ('catalog', 'similar_movies', 'similar_titles'),
        ('catalog', 'watch_histories', 'watched_titles'),
        ('catalog', 'external_ratings', 'title_ratings'),
        ('catalog', 'recommendations', 'recommended_titles'),
        ('catalog', 'popularity_trends', 'title_trends'),
        ('pipeline', 'movie_ids', 'title_ids'),
        ('pipeline', 'requested_ids', 'requested_titles'),
        ('pipeline', 'raw_details', 'title_details'),
        ('pipeline', 'export_lines', 'exported_titles'),
        ('pipeline', 'changes', 'changed_titles'),
        ('pipeline', 'embeddings', 'title_embeddings'),
        ('pipeline', 'id_history', 'title_id_history'),
        ('pipeline', 'discovered', 'discovered_titles'),
        ('pipeline', 'rule_inputs', 'title_rule_inputs'),
        ('pipeline', 'document_sources', 'title_document_sources'),
        ('pipeline', 'similar_lists', 'similar_title_lists'),
        ('pipeline', 'film_weights', 'title_weights')
$$;

-- Gives the constraints and indexes of a table the names that they would have if the table had always had its name.
create function pipeline.rename_parts(target regclass, former_name text, name text) returns void
language plpgsql
as $$
declare
    part record;
    renamed text;
begin
    for part in select c.conname as name from pg_constraint c where c.conrelid = target loop
        renamed := replace(regexp_replace(part.name, '^' || former_name || '_', rename_parts.name || '_'), 'tmdb_id', 'title_id');
        if renamed <> part.name then
            execute format('alter table %s rename constraint %I to %I', target, part.name, renamed);
        end if;
    end loop;
    -- The index of a constraint was renamed with it.
    for part in
        select i.relname as name, i.oid::regclass as index_name
        from pg_index x join pg_class i on i.oid = x.indexrelid where x.indrelid = target
    loop
        renamed := replace(regexp_replace(part.name, '^' || former_name || '_', rename_parts.name || '_'), 'tmdb_id', 'title_id');
        if renamed <> part.name then
            execute format('alter index %s rename to %I', part.index_name, renamed);
        end if;
    end loop;
end
$$;

-- Gives a view the rights that roles have on the table that it shows, and no others, such as those of default privileges.
create function pipeline.copy_rights(target regclass, shown_by regclass) returns void
language plpgsql
as $$
declare
    statement text;
begin
    for statement in
        select format('revoke all on %s from %s', shown_by,
            case when a.grantee = 0 then 'public' else a.grantee::regrole::text end)
        from pg_class c cross join lateral aclexplode(c.relacl) a
        where c.oid = shown_by and a.grantee <> c.relowner
        union
        select format('grant %s on %s to %s%s', a.privilege_type, shown_by,
            case when a.grantee = 0 then 'public' else a.grantee::regrole::text end,
            case when a.is_grantable then ' with grant option' else '' end)
        from pg_class c cross join lateral aclexplode(c.relacl) a
        where c.oid = target and a.grantee <> c.relowner and a.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
        union
        select format('grant %s (%I) on %s to %s%s', a.privilege_type,
            case when c.attname = 'title_id' then 'tmdb_id' else c.attname end, shown_by,
            case when a.grantee = 0 then 'public' else a.grantee::regrole::text end,
            case when a.is_grantable then ' with grant option' else '' end)
        from pg_attribute c cross join lateral aclexplode(c.attacl) a
        where c.attrelid = target and c.attnum > 0 and not c.attisdropped
        order by 1 desc -- what is revoked comes before what is granted
    loop
        execute statement;
    end loop;
end
$$;

-- All names at once: the migration gives way as a whole to readers that it would have to wait for.
do $$
declare
    renamed record;
begin
    for renamed in
        select r.*, to_regclass(format('%I.%I', r.schema_name, r.former_name)) as relation from pipeline.renamed_tables() r
    loop
        execute format('alter table %s rename column tmdb_id to title_id', renamed.relation);
        execute format('alter table %s rename to %I', renamed.relation, renamed.name);
        perform pipeline.rename_parts(renamed.relation, renamed.former_name, renamed.name);
    end loop;
end
$$;

-- Functions of triggers name the columns of the table's rows, which are no longer those that the former names have. All other
-- functions read the views until the functions of this release, which are applied after the migrations, take their place.
do $$
declare
    definition text;
    renamed record;
begin
    for definition in
        select distinct pg_get_functiondef(t.tgfoid) from pg_trigger t join pg_proc p on p.oid = t.tgfoid
        where not t.tgisinternal and p.pronamespace = 'pipeline'::regnamespace and p.prosrc ~ '\mtmdb_id\M'
    loop
        for renamed in select * from pipeline.renamed_tables() loop
            definition := regexp_replace(
                definition, format('\m%s\.%s\M', renamed.schema_name, renamed.former_name),
                renamed.schema_name || '.' || renamed.name, 'g');
        end loop;
        execute regexp_replace(definition, '\mtmdb_id\M', 'title_id', 'g');
    end loop;
end
$$;

-- The views, each with the rights that roles have on its table. Of a table with row security, a view shows a role what the
-- table would show it. PostgreSQL 14 has no such views, so that roles have no right on these there.
do $$
declare
    renamed record;
    columns text;
    former text;
    has_invoker boolean := current_setting('server_version_num')::integer >= 150000;
begin
    for renamed in
        select r.*, c.oid::regclass as relation, c.relrowsecurity
        from pipeline.renamed_tables() r join pg_class c on c.oid = to_regclass(format('%I.%I', r.schema_name, r.name))
    loop
        former := format('%I.%I', renamed.schema_name, renamed.former_name);
        select string_agg(case when a.attname = 'title_id' then 'title_id as tmdb_id' else quote_ident(a.attname) end, ', '
                          order by a.attnum)
        into columns from pg_attribute a where a.attrelid = renamed.relation and a.attnum > 0 and not a.attisdropped;
        execute format(
            'create view %s %s as select %s from %s where title_id < 1000000000', former,
            case when renamed.relrowsecurity and has_invoker then 'with (security_invoker = true)' else '' end,
            columns, renamed.relation);
        perform pipeline.copy_rights(
            case when has_invoker or not renamed.relrowsecurity then renamed.relation end, former::regclass);
    end loop;
end
$$;
