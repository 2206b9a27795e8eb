-- Applied after the migrations whenever it changes: the search_path of functions that use pgvector.

-- Gives each function that names them a search_path of its own, with the schema in which the extension is. The others get
-- none: a function with settings of its own is not inlined into the query that calls it. Returns how many were changed.
create or replace function pipeline.pin_search_paths() returns integer
language plpgsql
as $$
declare
    place text := (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
                   where e.extname = 'vector');
    f record;
    pinned integer := 0;
begin
    for f in
        select p.oid::regprocedure as signature
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('catalog', 'pipeline') and p.prosqlbody is null and p.prokind = 'f'
            and p.prosrc ~ '<=>|<#>|<->|<[+]>|<~>|vector|halfvec|l2_norm'
            and not exists (select from unnest(p.proconfig) c where c like 'search_path=%')
    loop
        execute format('alter function %s set search_path = pg_catalog, %I, pg_temp', f.signature, place);
        pinned := pinned + 1;
    end loop;
    return pinned;
end
$$;
