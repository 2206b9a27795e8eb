-- Comments: applied last, whenever this file or anything else of the schema changed. The tables of series.

comment on table catalog.broadcasts is 'what a series has and a movie has not, apart from seasons and episodes';
comment on column catalog.broadcasts.title_id is
    'key of the series: 1,000,000,000 plus TMDB''s id of it, as in https://www.themoviedb.org/tv/1399';
comment on column catalog.broadcasts.type is
    'TMDB''s type: Scripted, Miniseries, Reality, Documentary, Talk Show, News, Video or Pilot; null if unknown';
comment on column catalog.broadcasts.in_production is 'true if TMDB says that more of it may come';
comment on column catalog.broadcasts.has_ended is 'true while its status is Ended or Canceled, which is never final';
comment on column catalog.broadcasts.last_air_date is
    'date of the last broadcast, as TMDB states it for the series; null if unknown';
comment on column catalog.broadcasts.number_of_seasons is
    'number of seasons that TMDB counts, without season 0; null if unknown';
comment on column catalog.broadcasts.number_of_episodes is
    'number of episodes that TMDB counts, without season 0; null if unknown';
comment on column catalog.broadcasts.languages is 'languages in which it is broadcast, ISO 639-1; empty if unknown';
comment on column catalog.broadcasts.homepage is 'address of its website; null if TMDB has none';
comment on column catalog.broadcasts.last_episode_id is
    'TMDB''s id of the episode that was aired last; null before the first one';
comment on column catalog.broadcasts.last_episode_date is 'date of that episode; null if unknown';
comment on column catalog.broadcasts.next_episode_id is
    'TMDB''s id of the episode that is aired next; null if TMDB has none';
comment on column catalog.broadcasts.next_episode_date is 'date of that episode; null if unknown';

comment on table catalog.seasons is
    'a season of a series, as the series lists it; season 0 has the specials and counts nowhere';
comment on column catalog.seasons.season_id is 'TMDB''s id of the season, which stays when it is renumbered';
comment on column catalog.seasons.title_id is
    'key of the series: 1,000,000,000 plus TMDB''s id of it, as in https://www.themoviedb.org/tv/1399';
comment on column catalog.seasons.season_number is 'number of the season; 0 for specials';
comment on column catalog.seasons.name is 'name of the season; null if TMDB has none';
comment on column catalog.seasons.overview is 'what happens in it, in English; null if TMDB has none';
comment on column catalog.seasons.air_date is
    'date of its first broadcast, as TMDB states it for the season; null if unknown';
comment on column catalog.seasons.episode_count is 'number of episodes that TMDB counts; null if unknown';
comment on column catalog.seasons.poster_path is
    'path of the poster image, to be appended to https://image.tmdb.org/t/p/w500; null if TMDB has none';
comment on column catalog.seasons.vote_average is 'average of TMDB''s votes, 0 to 10; null without votes';

comment on table catalog.episodes is 'an episode of a series';
comment on column catalog.episodes.episode_id is 'TMDB''s id of the episode, which stays when it is renumbered';
comment on column catalog.episodes.title_id is
    'key of the series: 1,000,000,000 plus TMDB''s id of it, as in https://www.themoviedb.org/tv/1399';
comment on column catalog.episodes.season_number is 'number of its season; 0 for specials';
comment on column catalog.episodes.episode_number is 'number of the episode within its season; numbers can have gaps';
comment on column catalog.episodes.name is
    'name of the episode, such as Episode 3 where it has no other; null if TMDB has none';
comment on column catalog.episodes.overview is 'what happens in it, in English; null if TMDB has none';
comment on column catalog.episodes.air_date is 'date of the first broadcast, without region; null if unknown';
comment on column catalog.episodes.runtime_minutes is 'running time in minutes; null if TMDB has none';
comment on column catalog.episodes.episode_type is 'standard, finale or mid_season; null if unknown';
comment on column catalog.episodes.still_path is
    'path of an image of the episode, to be appended to https://image.tmdb.org/t/p/w300; null if TMDB has none';
comment on column catalog.episodes.production_code is 'code under which it was produced; null if TMDB has none';
comment on column catalog.episodes.vote_average is 'average of TMDB''s votes, 0 to 10; 0 without votes';
comment on column catalog.episodes.vote_count is 'number of votes at TMDB';

comment on table catalog.networks is 'a broadcaster or streaming service that shows series first';
comment on column catalog.networks.network_id is 'TMDB''s id of the network';
comment on column catalog.networks.name is 'name of the network';
comment on column catalog.networks.country is 'country of the network, ISO 3166-1 alpha-2; null if unknown';
comment on column catalog.networks.logo_path is
    'path of the logo image, to be appended to https://image.tmdb.org/t/p/w92; null if TMDB has none';

comment on table catalog.series_networks is 'a network of a series';
comment on column catalog.series_networks.title_id is
    'key of the series: 1,000,000,000 plus TMDB''s id of it, as in https://www.themoviedb.org/tv/1399';
comment on column catalog.series_networks.network_id is 'TMDB''s id of the network, a row of catalog.networks';
comment on column catalog.series_networks.position is 'place in TMDB''s order, from 0';

comment on table catalog.series_creators is 'a person who created a series';
comment on column catalog.series_creators.title_id is
    'key of the series: 1,000,000,000 plus TMDB''s id of it, as in https://www.themoviedb.org/tv/1399';
comment on column catalog.series_creators.person_id is 'TMDB''s id of the person, a row of catalog.people';
comment on column catalog.series_creators.position is 'place in TMDB''s order, from 0';

comment on column catalog.title_cast.episode_count is
    'in how many episodes of the series the person is; null for a movie, or if unknown';
comment on column catalog.title_crew.episode_count is
    'in how many episodes of the series the person did the job; null for a movie, or if unknown';
comment on column catalog.title_certifications.descriptors is
    'reasons for the certification of a series, such as L, V; null if there are none';

comment on view catalog.series is
    'each accepted series, with what all titles have and its broadcasts; episodes are in catalog.episodes';
comment on column catalog.series.tmdb_id is 'TMDB''s id of the series, as in https://www.themoviedb.org/tv/1399';
comment on column catalog.series.title_id is
    'key of the series: 1,000,000,000 plus TMDB''s id of it, as in https://www.themoviedb.org/tv/1399';
comment on column catalog.series.imdb_id is 'id at IMDb, such as tt0944947; null if TMDB does not know it';
comment on column catalog.series.title is 'name in English, or the original name if there is no English one';
comment on column catalog.series.original_title is 'name in the original language';
comment on column catalog.series.original_language is 'original language, ISO 639-1 such as en; null if unknown';
comment on column catalog.series.first_air_date is 'date of the first broadcast; null if unknown';
comment on column catalog.series.first_air_year is 'year of first_air_date; null if unknown';
comment on column catalog.series.runtime_minutes is
    'median of the running times of its episodes that TMDB has, without season 0; null if it has none';
comment on column catalog.series.status is
    'Returning Series, Planned, In Production, Ended, Canceled or Pilot; null if unknown; it can change at any time';
comment on column catalog.series.type is 'TMDB''s type, such as Scripted or Miniseries; null if unknown';
comment on column catalog.series.in_production is 'true if TMDB says that more of it may come';
comment on column catalog.series.has_ended is 'true while its status is Ended or Canceled';
comment on column catalog.series.last_air_date is 'date of the last broadcast; null if unknown';
comment on column catalog.series.number_of_seasons is
    'number of seasons that TMDB counts, without season 0; null if unknown';
comment on column catalog.series.number_of_episodes is
    'number of episodes that TMDB counts, without season 0; null if unknown';
comment on column catalog.series.last_episode_id is
    'TMDB''s id of the episode that was aired last; null before the first one';
comment on column catalog.series.last_episode_date is 'date of that episode; null if unknown';
comment on column catalog.series.next_episode_id is
    'TMDB''s id of the episode that is aired next; null if TMDB has none';
comment on column catalog.series.next_episode_date is 'date of that episode; null if unknown';
comment on column catalog.series.tagline is 'advertising line of the series, in English; null if TMDB has none';
comment on column catalog.series.overview is 'what it is about, in English; null if TMDB has none';
comment on column catalog.series.genres is 'names of the genres, in English; empty if TMDB has none';
comment on column catalog.series.keywords is 'TMDB''s keywords, in English; empty if TMDB has none';
comment on column catalog.series.networks is 'names of the networks, in TMDB''s order; empty if TMDB has none';
comment on column catalog.series.creators is 'names of those who created it; empty if TMDB has none';
comment on column catalog.series.leading_cast is 'names of the leading actors, the lead first; empty if TMDB has none';
comment on column catalog.series.countries is 'countries of origin, ISO 3166-1 alpha-2; empty if unknown';
comment on column catalog.series.languages is 'languages in which it is broadcast, ISO 639-1; empty if unknown';
comment on column catalog.series.certification is
    'age certification in the United States, such as TV-14; null if unknown';
comment on column catalog.series.homepage is 'address of its website; null if TMDB has none';
comment on column catalog.series.poster_path is
    'path of the poster image, to be appended to https://image.tmdb.org/t/p/w500; null if TMDB has none';
comment on column catalog.series.backdrop_path is
    'path of the wide background image, to be appended to https://image.tmdb.org/t/p/w1280; null if TMDB has none';
comment on column catalog.series.embedding_text is 'text that is made of the facts above and embedded';
comment on column catalog.series.text_hash is
    'hash of embedding_text; a vector that was made from a text with another hash is out of date';
comment on column catalog.series.changed_at is 'when a fact of the series last changed; new episodes are none';

comment on table pipeline.season_details is 'TMDB''s response for a season of a series, without the guests of its episodes';
comment on column pipeline.season_details.title_id is
    'key of the series: 1,000,000,000 plus TMDB''s id of it, as in https://www.themoviedb.org/tv/1399';
comment on column pipeline.season_details.season_number is 'number of the season when it was fetched';
comment on column pipeline.season_details.body is 'the response itself';
comment on column pipeline.season_details.runtimes is 'known running times of its episodes in minutes, ascending';
comment on column pipeline.season_details.fetched_at is 'when it was fetched last';

comment on view catalog.title_successors is 'a deleted title of any media type, and the title that replaced it';
comment on column catalog.title_successors.title_id is
    'key of the deleted title: a movie''s is TMDB''s id of it, that of a series 1,000,000,000 plus its id';
comment on column catalog.title_successors.successor_id is 'key of the title that replaced it';
comment on column catalog.title_successors.gone_since is 'day (UTC) on which TMDB was seen to have deleted it';
