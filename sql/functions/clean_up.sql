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
    for expiring in
        select * from (values
            ('pipeline.api_calls', 'started_at', 90),
            ('pipeline.embedding_batches', 'ended_at', 90),
            ('pipeline.id_history', 'changed_at', 400),
            ('pipeline.search_quality', 'measured_at', 400),
            ('pipeline.reconciliations', 'reconciled_at', 400),
            ('catalog.movie_stats_history', 'day', 730)
        ) as e (name, aged_by, days)
    loop
        execute format('delete from %s where %I < $1', expiring.name, expiring.aged_by)
        using moment - make_interval(days => expiring.days);
        get diagnostics rows_deleted = row_count;
        kind := expiring.name;
        kept_days := expiring.days;
        return next;
    end loop;
    kept_days := 0;

    -- A text that was refused by a set whose vectors were dropped asks nobody any more.
    delete from pipeline.refused_texts r using pipeline.embedding_sets s
    where s.set_id = r.set_id and not s.is_active and s.retired_at < moment - interval '90 days';
    get diagnostics rows_deleted = row_count;
    kind := 'pipeline.refused_texts of retired sets';
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
