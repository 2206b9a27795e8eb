-- Applied after the migrations whenever it changes: what is deleted once a month, and after how long.

-- TMDB's six months do not wait for it: pipeline.purge_expired keeps them every day.
drop function if exists pipeline.clean_up;
create function pipeline.clean_up(moment timestamptz)
returns table (kind text, kept_days integer, rows_deleted bigint)
language plpgsql
as $$
declare
    expiring record;
    leftover record;
begin
    -- Rows that have not ended have no age. The last column is a condition that protects rows which runs or people still need.
    for expiring in
        select * from (values
            ('pipeline.api_calls', 'started_at', 90, 'true'),
            ('pipeline.embedding_batches', 'ended_at', 90, 'true'),
            ('pipeline.run_log', 'ended_at', 400, 'true'),
            ('pipeline.alerts', 'ended_at', 400, 'true'),  -- with their deliveries
            ('pipeline.title_id_history', 'changed_at', 400, 'true'),
            ('pipeline.requested_titles', 'served_at', 400, 'true'),  -- movie_ids knows which films are kept
            ('pipeline.search_quality', 'measured_at', 400, 'true'),
            ('pipeline.reconciliations', 'reconciled_at', 400, 'true'),
            ('pipeline.embedding_costs', 'spent_at', 400, 'true'),
            -- The newest load, and the one that the ids stand on, are what the next export is compared with. Lines that
            -- are still there go with the next load, which finds them by this row.
            ('pipeline.title_exports', 'export_date', 400,
             'export_date < (select a.export_date from pipeline.title_ids_as_of a where a.media_type = title_exports.media_type) '
             'and to_regclass(''pipeline.'' || pipeline.export_partition(media_type, export_date)) is null'),
            -- The feed is read on from its newest day.
            ('pipeline.title_change_days', 'change_date', 400,
             'change_date < (select max(n.change_date) from pipeline.title_change_days n '
             'where n.media_type = title_change_days.media_type)'),
            -- A file is not read again while it is the one of the newest load.
            ('pipeline.rating_loads', 'loaded_at', 400,
             'load_id < (select max(n.load_id) from pipeline.rating_loads n where n.loader = rating_loads.loader)'),
            ('pipeline.recommendation_models', 'fitted_at', 400, 'not is_served'),  -- with how good they were
            ('catalog.title_stats_history', 'day', 730, 'true')
        ) as e (name, aged_by, days, may_go)
    loop
        execute format('delete from %s where %I < $1 and %s', expiring.name, expiring.aged_by, expiring.may_go)
        using moment - make_interval(days => expiring.days);
        get diagnostics rows_deleted = row_count;
        kind := expiring.name;
        kept_days := expiring.days;
        return next;
    end loop;

    -- An import's row stays: by its digest a file that still lies in the inbox is known, and not imported again over
    -- newer ones. The rows that it did not take are somebody's data, and go.
    update pipeline.imports set rejects = '[]'
    where imported_at < moment - interval '400 days' and rejects <> '[]';
    get diagnostics rows_deleted = row_count;
    kind := 'samples in pipeline.imports';
    kept_days := 400;
    return next;
    kept_days := 0;

    -- A text that was refused by a set whose vectors were dropped asks nobody any more.
    delete from pipeline.refused_texts r using pipeline.embedding_sets s
    where s.set_id = r.set_id and not s.is_active and s.retired_at < moment - interval '90 days';
    get diagnostics rows_deleted = row_count;
    kind := 'pipeline.refused_texts of retired sets';
    return next;

    -- What only films named that left the catalogue.
    kind := 'people, companies and the like that no film names';
    rows_deleted := pipeline.delete_unnamed();
    return next;

    -- What a killed "reindex concurrently" leaves; one that is being built is not touched.
    kind := 'indexes that were never finished';
    rows_deleted := 0;
    for leftover in
        select x.indexrelid::regclass as name
        from pg_index x join pg_class c on c.oid = x.indexrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('catalog', 'pipeline') and not x.indisvalid and c.relname ~ '_cc(new|old)[0-9]*$'
          and not exists (select from pg_stat_progress_create_index p where p.index_relid = x.indexrelid)
    loop
        execute format('drop index %s', leftover.name);
        rows_deleted := rows_deleted + 1;
    end loop;
    return next;
end
$$;
