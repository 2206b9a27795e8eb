-- Run by an administrator before the first `movie-assets migrate`, with psql 15 or newer; safe to run again:
--   MOVIE_ASSETS_DB_PASSWORD=… MOVIE_ASSETS_DAGSTER_DB_PASSWORD=… \
--     psql --set ON_ERROR_STOP=1 --dbname postgres --file deploy/roles.sql
-- Five roles, none a superuser. movie_assets owns the catalogue and runs the pipeline. movie_assets_dagster owns Dagster's
-- database and may not connect to the catalogue. Applications get one of the other three:
--   create role my_app login password '…' in role movie_assets_reader;  -- searches, and sees no person
--   create role my_site login password '…' in role movie_assets_person;  -- besides, the person that its session names
--   create role my_report login password '…' in role movie_assets_people;  -- besides, the histories of all people
-- Rights on tables follow with the schema (sql/database/reader_rights.sql, called by every migration).
\getenv password MOVIE_ASSETS_DB_PASSWORD
\getenv dagster_password MOVIE_ASSETS_DAGSTER_DB_PASSWORD

select format('create role %I nosuperuser nocreatedb nocreaterole', name)
from unnest('{movie_assets, movie_assets_dagster, movie_assets_reader, movie_assets_person, movie_assets_people}'::text[]) as name
where not exists (select from pg_roles where rolname = name) \gexec

\if :{?password}
select format('alter role movie_assets login password %L', :'password') \gexec
\else
alter role movie_assets login;
\endif
\if :{?dagster_password}
select format('alter role movie_assets_dagster login password %L', :'dagster_password') \gexec
\else
alter role movie_assets_dagster login;
\endif

select format('create database %I owner %I encoding ''UTF8'' template template0', name, name)
from unnest('{movie_assets, movie_assets_dagster}'::text[]) as name
where not exists (select from pg_database where datname = name) \gexec

alter database movie_assets_dagster owner to movie_assets_dagster; -- of movie_assets until 0.1.0, with its tables, below
revoke all on database movie_assets, movie_assets_dagster from public;
revoke all on database movie_assets from movie_assets_dagster;
revoke all on database movie_assets_dagster from movie_assets;
grant connect on database movie_assets to movie_assets_reader;
grant movie_assets_reader to movie_assets_person, movie_assets_people;
-- For every session that does not say otherwise; the pipeline's say otherwise.
alter database movie_assets set statement_timeout = '15s';
alter database movie_assets set idle_in_transaction_session_timeout = '60s';
alter database movie_assets set lock_timeout = '5s';

\connect movie_assets
create extension if not exists vector;
revoke create on schema public from public; -- PostgreSQL 14 grants it
grant create on schema public to movie_assets;
-- The pipeline's runs hold advisory locks; who else takes them would stop it.
select format('revoke execute on function %s from public; grant execute on function %s to movie_assets', f, f)
from (select oid::regprocedure as f from pg_proc
      where pronamespace = 'pg_catalog'::regnamespace and proname ~ '^pg_(try_)?advisory') locks \gexec

\connect movie_assets_dagster
select format('alter table %s owner to movie_assets_dagster', oid::regclass)
from pg_class where relowner = 'movie_assets'::regrole and relkind = 'r' \gexec
