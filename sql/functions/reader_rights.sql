-- Applied after the migrations whenever it changes: what the role of applications may do; deploy/roles.sql makes the role.

-- Nothing where there is no such role. Once is enough: default privileges give the same on tables that come later.
create or replace function pipeline.grant_reader() returns void
language plpgsql
as $$
begin
    if not exists (select from pg_roles where rolname = 'movie_assets_reader')
        or has_column_privilege('movie_assets_reader', 'pipeline.requested_ids', 'requested_by', 'insert')
    then
        return;
    end if;
    grant usage on schema catalog to movie_assets_reader;
    grant select on all tables in schema catalog to movie_assets_reader;
    alter default privileges in schema catalog grant select on tables to movie_assets_reader;
    -- The inbox is all that an application sees of the pipeline; an answer is for the pipeline to write.
    grant usage on schema pipeline to movie_assets_reader;
    grant select, insert (tmdb_id, keep, requested_by), update (keep, requested_at)
        on pipeline.requested_ids to movie_assets_reader;
end
$$;
