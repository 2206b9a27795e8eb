-- Applied after the migrations whenever it changes: what the roles of applications may do; deploy/roles.sql makes the roles.

-- Gives each of the three roles its rights, where the role exists; called by every migration, so that tables and views of later
-- versions are covered. movie_assets_reader searches and sees no person. movie_assets_person sees the person that
-- the session names (set movie_assets.person = 'ann'), movie_assets_people sees all; both may do what a reader may.
create or replace function pipeline.grant_reader() returns void
language plpgsql
as $$
declare
    persons text[] := '{catalog.watched_titles,catalog.watched_episodes,catalog.recommended_titles,catalog.seen_titles,'
        'catalog.seen_films,catalog.watch_histories,catalog.recommendations}';  -- the last three show movies of the others
    relation text;
begin
    if exists (select from pg_roles where rolname = 'movie_assets_reader') then
        grant usage on schema catalog to movie_assets_reader;
        grant select on all tables in schema catalog to movie_assets_reader;
        alter default privileges in schema catalog grant select on tables to movie_assets_reader;
        foreach relation in array persons loop
            execute format('revoke all on %s from movie_assets_reader', relation);
        end loop;
        -- Applications may write requests, and nothing else in the schema pipeline; only the pipeline writes their outcome.
        grant usage on schema pipeline to movie_assets_reader;
        grant select, insert (title_id, keep, requested_by), update (keep, requested_at)
            on pipeline.requested_titles to movie_assets_reader;
        grant select, insert (tmdb_id, keep, requested_by), update (keep, requested_at)
            on pipeline.requested_ids to movie_assets_reader;
    end if;
    if not exists (select from pg_roles where rolname = 'movie_assets_person')
        or not exists (select from pg_roles where rolname = 'movie_assets_people')
    then
        return;
    end if;
    foreach relation in array persons loop
        execute format('grant select on %s to movie_assets_person, movie_assets_people', relation);
        if relation::regclass in (select oid from pg_class where relkind = 'r') then
            -- Each of these statements waits for all readers of the table, so none is repeated that was done.
            if not (select relrowsecurity from pg_class where oid = relation::regclass) then
                execute format('alter table %s enable row level security', relation);
            end if;
            if not exists (select from pg_policy where polrelid = relation::regclass and polname = 'of_the_session') then
                execute format('create policy of_the_session on %s for select to movie_assets_person '
                    'using (person = current_setting(''movie_assets.person'', true))', relation);
            end if;
            if not exists (select from pg_policy where polrelid = relation::regclass and polname = 'of_all') then
                execute format('create policy of_all on %s for select to movie_assets_people using (true)', relation);
            end if;
        elsif current_setting('server_version_num')::integer >= 150000 then
            if not exists (
                select from pg_class where oid = relation::regclass and 'security_invoker=true' = any (reloptions))
            then
                execute format('alter view %s set (security_invoker = true)', relation);
            end if;
        else  -- PostgreSQL 14 reads a view with its owner's rights, who sees every person
            execute format('revoke all on %s from movie_assets_person', relation);
        end if;
    end loop;
end
$$;

-- A role that has some of these rights would only be warned by its statements; nobody but the owner may call it.
revoke execute on function pipeline.grant_reader() from public;
