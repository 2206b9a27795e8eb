-- Comments: applied last, whenever this file or anything else of the schema changed. What applications show beside searches.

comment on table catalog.release_dates is
    'a date on which a movie is released in a country; a country can have several dates of a kind, with notes or languages';
comment on column catalog.release_dates.title_id is
    'key of the movie, TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.release_dates.country is 'country of the release, ISO 3166-1 alpha-2';
comment on column catalog.release_dates.release_type is
    'TMDB''s kind: 1 premiere, 2 limited, 3 theatrical, 4 digital, 5 physical, 6 TV; catalog.release_kind has the name';
comment on column catalog.release_dates.entry is
    'number among the dates of this movie, country, kind and note; it stays when the date moves';
comment on column catalog.release_dates.release_date is 'the day of the release, without hour';
comment on column catalog.release_dates.sequence is 'how often the date moved since it was first seen; the SEQUENCE of calendars';
comment on column catalog.release_dates.note is 'note such as Re-release or the name of a festival; empty without one';
comment on column catalog.release_dates.language is 'language of the release, ISO 639-1; empty if TMDB has none';
comment on column catalog.release_dates.certification is
    'certification of this release as the country''s board writes it, such as PG-13; null if unknown';

comment on table catalog.certification_ages is
    'the age that a certification stands for, written by hand; catalog.certification_age also reads labels that hold a number';
comment on column catalog.certification_ages.media_type is 'movie or series: the same label can mean another age for each';
comment on column catalog.certification_ages.country is 'country of the board, ISO 3166-1 alpha-2, or CA-QC for Quebec';
comment on column catalog.certification_ages.label is 'certification as TMDB writes it, such as PG';
comment on column catalog.certification_ages.age is
    'age in years from which on children may see it alone; null for a label that says that there is no certification';
comment on column catalog.certification_ages.source is 'board whose definition it is';

comment on table catalog.offer_intervals is
    'an interval in which a provider offered a title in a country, as fetches of the title observed it; the view offers has days';
comment on column catalog.offer_intervals.title_id is 'key of the title, see catalog.title_id';
comment on column catalog.offer_intervals.country is 'country of the offer, ISO 3166-1 alpha-2; the settings name the observed ones';
comment on column catalog.offer_intervals.kind is 'flatrate (subscription), free, ads, rent or buy';
comment on column catalog.offer_intervals.provider_id is
    'TMDB''s id of the provider in this country, where one service can have another id than elsewhere; watch_providers has names';
comment on column catalog.offer_intervals.first_seen is 'when a fetch of the title first had the offer';
comment on column catalog.offer_intervals.is_opening is
    'true if it was there when the country was observed for the first time, so that nobody knows since when';
comment on column catalog.offer_intervals.last_seen is
    'when it was seen last before it was missed; null while the last fetch of the title has it';
comment on column catalog.offer_intervals.missed_at is 'first fetch without it; null while the last fetch of the title has it';
comment on column catalog.offer_intervals.left_at is 'that fetch, once the next one lacked it, too; null before';

comment on view catalog.offers is
    'what could be watched where and since when, by fetches of the titles; source JustWatch, which has to be credited';
comment on column catalog.offers.title_id is 'key of the title, see catalog.title_id';
comment on column catalog.offers.country is 'country of the offer, ISO 3166-1 alpha-2';
comment on column catalog.offers.kind is 'flatrate (subscription), free, ads, rent or buy';
comment on column catalog.offers.provider_id is 'TMDB''s id of the provider in this country; watch_providers has names';
comment on column catalog.offers.came is 'day (UTC) on which it was first seen; null if it was there at the first observation';
comment on column catalog.offers.first_seen is 'day (UTC) on which it was first seen';
comment on column catalog.offers.last_seen is 'day (UTC) on which it was last seen';
comment on column catalog.offers."left" is 'day (UTC) of the first of two fetches in a row without it; null while it is there';

comment on table catalog.cancelled_releases is
    'a date of catalog.release_dates that TMDB no longer has and that did not move to another, for 150 days; calendars cancel it';
comment on column catalog.cancelled_releases.title_id is
    'key of the movie, TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.cancelled_releases.country is 'country of the release, ISO 3166-1 alpha-2';
comment on column catalog.cancelled_releases.release_type is
    'TMDB''s kind: 1 premiere, 2 limited, 3 theatrical, 4 digital, 5 physical, 6 TV';
comment on column catalog.cancelled_releases.entry is 'the number that it had in catalog.release_dates';
comment on column catalog.cancelled_releases.release_date is 'the day that TMDB stated last';
comment on column catalog.cancelled_releases.sequence is 'one more than the sequence that it had';
comment on column catalog.cancelled_releases.note is 'note such as Re-release; empty without one';
comment on column catalog.cancelled_releases.cancelled_at is 'when it was first missing from a response';

comment on table catalog.moved_episodes is
    'an episode whose date of broadcast moved, or was taken away, since it was first seen; calendars need its sequence';
comment on column catalog.moved_episodes.episode_id is 'TMDB''s id of the episode';
comment on column catalog.moved_episodes.title_id is
    'key of the series: 1,000,000,000 plus TMDB''s id of it, as in https://www.themoviedb.org/tv/1399';
comment on column catalog.moved_episodes.season_number is 'number of its season, when the date moved last';
comment on column catalog.moved_episodes.episode_number is 'number of the episode, when the date moved last';
comment on column catalog.moved_episodes.name is 'name of the episode, when the date moved last; null if TMDB had none';
comment on column catalog.moved_episodes.air_date is 'the day that TMDB stated last';
comment on column catalog.moved_episodes.sequence is 'how often the date moved, was taken away or came back';
comment on column catalog.moved_episodes.is_cancelled is
    'true if TMDB has no such episode any more, or no date of it; such rows are kept for 150 days';
comment on column catalog.moved_episodes.moved_at is 'when that was noticed last';
