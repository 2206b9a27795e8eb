-- Comments: applied last, whenever this file or anything else of the schema changed. TMDB's lists.

comment on table catalog.list_days is
    'a day on which one of TMDB''s lists was read for a country; its titles are in list_snapshots';
comment on column catalog.list_days.media_type is 'movie or series';
comment on column catalog.list_days.list is
    'TMDB''s list: popular, top_rated, trending_day, trending_week; for movies also now_playing and upcoming, for series '
    'airing_today and on_the_air';
comment on column catalog.list_days.region is
    'country of the list, ISO 3166-1 such as US; empty for a list that is the same everywhere';
comment on column catalog.list_days.day is 'day (UTC) of the snapshot; a later reading of that day replaces it';
comment on column catalog.list_days.read_at is 'when TMDB was asked';
comment on column catalog.list_days.region_position is
    'place of the country in MOVIE_ASSETS_REGIONS when the list was read; 0 is the preferred one';
comment on column catalog.list_days.first_release is
    'first release date that TMDB states for the list (now_playing, upcoming); null for others';
comment on column catalog.list_days.last_release is
    'last release date that TMDB states for the list (now_playing, upcoming); null for others';
comment on column catalog.list_days.titles is 'number of titles in the snapshot';
comment on column catalog.list_days.total is 'number of titles that TMDB states for its whole list; null if it states none';
comment on column catalog.list_days.pages is 'number of pages that were read';
comment on column catalog.list_days.repeated is 'entries that TMDB''s pages had twice; the better rank counts';
comment on column catalog.list_days.unreadable is 'entries without a usable id, which are left out';

comment on table catalog.list_snapshots is
    'a title at its place in one of TMDB''s lists on a day, as the list showed it; it need not be in the catalogue';
comment on column catalog.list_snapshots.media_type is 'movie or series';
comment on column catalog.list_snapshots.list is 'TMDB''s list, as in list_days';
comment on column catalog.list_snapshots.region is
    'country of the list, ISO 3166-1 such as US; empty for a list that is the same everywhere';
comment on column catalog.list_snapshots.day is 'day (UTC) of the snapshot';
comment on column catalog.list_snapshots.rank is 'place in the list, 1 is the first; TMDB''s own order, not that of popularity';
comment on column catalog.list_snapshots.title_id is
    'key of the title: that of a movie is its tmdb_id, that of a series 1,000,000,000 plus its tmdb_id';
comment on column catalog.list_snapshots.title is 'title in English, or the original one; null if TMDB has none';
comment on column catalog.list_snapshots.original_title is 'title in its original language; null if TMDB has none';
comment on column catalog.list_snapshots.original_language is 'original language, ISO 639-1 such as ja; null if unknown';
comment on column catalog.list_snapshots.overview is 'plot in English; null if TMDB has none';
comment on column catalog.list_snapshots.release_date is
    'release date that the list shows (in its country), or the first air date of a series; null if unknown';
comment on column catalog.list_snapshots.poster_path is 'path of the poster; null if TMDB has none';
comment on column catalog.list_snapshots.backdrop_path is 'path of the backdrop; null if TMDB has none';
comment on column catalog.list_snapshots.popularity is 'TMDB''s popularity that day; null if unknown';
comment on column catalog.list_snapshots.vote_average is 'average vote that day, 0 to 10; null if unknown';
comment on column catalog.list_snapshots.vote_count is 'number of votes that day; null if unknown';
