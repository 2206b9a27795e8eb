-- Migration: the arithmetic of title_id. A third media type is one more entry in these functions. 1,000,000,000 is a multiple of
-- 64, so the batch of a title is that of its tmdb_id. The functions are inlined into the queries that call them.

-- Returns the key of a title: catalog.title_id('movie', 603) is 603; null for an unknown media type.
create function catalog.title_id(media_type text, tmdb_id bigint) returns bigint
language sql immutable strict parallel safe
return tmdb_id + ('{"movie": 0, "series": 1000000000}'::jsonb ->> media_type)::bigint;

-- Returns the id that TMDB has for a title.
create function catalog.tmdb_id(title_id bigint) returns bigint
language sql immutable strict parallel safe
return title_id % 1000000000;

-- Returns the media type of a title: movie or series; null for a number that is no key of a title.
create function catalog.media_type(title_id bigint) returns text
language sql immutable strict parallel safe
return ('{movie,series}'::text[])[(1 + title_id / 1000000000)::integer];

-- Not validated, which would read all rows: rows that were stored before stay, whatever their id.
alter table pipeline.title_ids
    add constraint title_ids_title_id_check check (title_id > 0 and title_id < 2000000000) not valid;
alter table catalog.titles
    add constraint titles_title_id_check check (title_id > 0 and title_id < 2000000000) not valid;
alter table pipeline.requested_titles drop constraint requested_titles_title_id_check;
alter table pipeline.requested_titles
    add constraint requested_titles_title_id_check check (title_id > 0 and title_id < 2000000000) not valid;
