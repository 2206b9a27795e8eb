-- Run by an administrator before the first `movie-assets migrate`, with psql 15 or newer; safe to run again:
--   MOVIE_ASSETS_DB_PASSWORD=… psql --set ON_ERROR_STOP=1 --dbname postgres --file deploy/roles.sql
-- Two roles. movie_assets owns both databases and runs the pipeline; it is no superuser. movie_assets_reader is what
-- applications get: create role my_app login password '…' in role movie_assets_reader;
-- Rights on tables follow with the schema (sql/functions/reader_rights.sql, called by every migration).
\getenv password MOVIE_ASSETS_DB_PASSWORD

select 'create role movie_assets nosuperuser nocreatedb nocreaterole'
where not exists (select from pg_roles where rolname = 'movie_assets') \gexec
select 'create role movie_assets_reader nosuperuser nocreatedb nocreaterole nologin'
where not exists (select from pg_roles where rolname = 'movie_assets_reader') \gexec

\if :{?password}
select format('alter role movie_assets login password %L', :'password') \gexec
\else
alter role movie_assets login;
\endif

select 'create database movie_assets owner movie_assets encoding ''UTF8'' template template0'
where not exists (select from pg_database where datname = 'movie_assets') \gexec
select 'create database movie_assets_dagster owner movie_assets encoding ''UTF8'' template template0'
where not exists (select from pg_database where datname = 'movie_assets_dagster') \gexec

revoke all on database movie_assets, movie_assets_dagster from public;
grant connect on database movie_assets to movie_assets_reader;

\connect movie_assets
create extension if not exists vector;
