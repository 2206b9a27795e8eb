-- Migration: the key of a video is its id at its site; two sites may use the same id.

update catalog.movie_videos set site = '' where site is null;
alter table catalog.movie_videos alter column site set not null;
alter table catalog.movie_videos drop constraint movie_videos_pkey;
alter table catalog.movie_videos add primary key (tmdb_id, site, key);
