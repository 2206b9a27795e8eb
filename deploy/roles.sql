-- Run by an administrator before the first `movie-assets migrate`, with psql 15 or newer; safe to run again:
--   MOVIE_ASSETS_DB_PASSWORD=… MOVIE_ASSETS_DAGSTER_DB_PASSWORD=… \
--     psql --set ON_ERROR_STOP=1 --dbname postgres --file deploy/roles.sql
-- Three roles, none a superuser. movie_assets owns the catalogue and runs the pipeline. movie_assets_dagster owns Dagster's
-- database and may not connect to the catalogue. movie_assets_reader is what applications get:
--   create role my_app login password '…' in role movie_assets_reader;
-- Rights on tables follow with the schema (sql/functions/reader_rights.sql, called by every migration).
\getenv password MOVIE_ASSETS_DB_PASSWORD
\getenv dagster_password MOVIE_ASSETS_DAGSTER_DB_PASSWORD

select format('create role %I nosuperuser nocreatedb nocreaterole', name)
from unnest('{movie_assets, movie_assets_dagster, movie_assets_reader}'::text[]) as name
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

\connect movie_assets
create extension if not exists vector;

\connect movie_assets_dagster
select format('alter table %s owner to movie_assets_dagster', oid::regclass)
from pg_class where relowner = 'movie_assets'::regrole and relkind = 'r' \gexec
