-- Migration: exports, lists, feeds and rules of each media type. What has a row for each day, or one in all, has it for each media
-- type now. The table of before becomes the partition of movies of a table with the column media_type, so that code of the last
-- release, which finds a day by its date alone, still reads and writes those of movies. A third media type is one more partition of
-- each table.

alter table pipeline.profiles
    add column types text[] not null default '{}',
    add column statuses text[] not null default '{}';
alter table pipeline.title_rule_inputs
    add column series_type text,
    add column series_status text;
create or replace view pipeline.rule_inputs as
select
    title_id as tmdb_id, adult, video, softcore, vote_count, vote_average, release_date, runtime_minutes, original_language,
    seen_at, series_type, series_status
from pipeline.title_rule_inputs where title_id < 1000000000;

do $$
declare
    shared record;
begin
    for shared in
        select t.name, t.key, 'pipeline.' || t.name as of_movies, 'pipeline.title_' || t.name as of_all,
            'pipeline.series_' || t.name as of_series
        from (values
            ('exports', 'export_date'),
            ('ids_as_of', null),
            ('evaluation', null),
            ('profiles', 'name'),
            ('list_slices', 'since'),
            ('discoveries', 'day'),
            ('change_days', 'change_date')
        ) as t (name, key)
    loop
        execute format(
            'alter table %s add column media_type text not null default ''movie'' check (media_type = ''movie'')',
            shared.of_movies);
        execute format(
            'create table %s (like %s including defaults) partition by list (media_type)', shared.of_all, shared.of_movies);
        execute format('alter table %s alter column media_type drop default', shared.of_all);
        execute format(
            'alter table %s add unique (%s)', shared.of_all, concat_ws(', ', 'media_type', shared.key));
        execute format('alter table %s attach partition %s for values in (''movie'')', shared.of_all, shared.of_movies);
        execute format('create table %s partition of %s for values in (''series'')', shared.of_series, shared.of_all);
        perform pipeline.copy_rights(shared.of_movies::regclass, shared.of_all::regclass);
        perform pipeline.copy_rights(shared.of_movies::regclass, shared.of_series::regclass);
    end loop;
end
$$;

-- The lines of exports, by media type and then by day. A line whose id is none of a movie has been refused for long.
delete from pipeline.exported_titles where title_id >= 1000000000;
alter table pipeline.exported_titles rename to exported_movies;
alter table pipeline.exported_movies rename constraint exported_titles_pkey to exported_movies_pkey;
create table pipeline.exported_titles (
    like pipeline.exported_movies including defaults, primary key (export_date, title_id)
) partition by range (title_id);
alter table pipeline.exported_titles
    attach partition pipeline.exported_movies for values from (minvalue) to (1000000000);
create table pipeline.exported_series partition of pipeline.exported_titles
    for values from (1000000000) to (2000000000) partition by list (export_date);
select pipeline.copy_rights('pipeline.exported_movies', 'pipeline.exported_titles');
select pipeline.copy_rights('pipeline.exported_movies', 'pipeline.exported_series');
