-- Comments: applied last, whenever this file or anything else of the schema changed. They say what each table, view and column
-- of catalog holds, for psql, the web UI and docs/reference.md. A test names the columns that have none.

comment on view catalog.attribution is 'a source to be credited, with the notice that its terms ask for';
comment on column catalog.attribution.source is 'name of the source: TMDB, JustWatch, IMDb, MovieLens or OMDb';
comment on column catalog.attribution.notice is 'text to be shown wherever data of this source is shown';
comment on column catalog.attribution.link is 'address that the notice should link to';
comment on column catalog.attribution.applies_to is 'which data the notice is for: a table, or all films';

comment on table catalog.collections is 'a collection that films belong to, such as a trilogy';
comment on column catalog.collections.collection_id is 'TMDB''s id of the collection';
comment on column catalog.collections.name is 'name of the collection, in English';
comment on column catalog.collections.poster_path is
    'path of the poster image, to be appended to https://image.tmdb.org/t/p/w500; null if TMDB has none';

comment on table catalog.companies is 'a company that produced films';
comment on column catalog.companies.company_id is 'TMDB''s id of the company';
comment on column catalog.companies.name is 'name of the company, as TMDB writes it';
comment on column catalog.companies.country is 'country of the company''s seat, ISO 3166-1 alpha-2 such as US; null if unknown';
comment on column catalog.companies.logo_path is
    'path of the logo image, to be appended to https://image.tmdb.org/t/p/w500; null if TMDB has none';

comment on view catalog.embedding_sets is
    'an embedding set that can be searched: vectors of one provider, model, number of dimensions and template';
comment on column catalog.embedding_sets.set_id is 'number of the set; its vectors are in catalog.title_vectors_<set_id>';
comment on column catalog.embedding_sets.name is
    'provider, model, dimensions and template in one text; the in_set argument of searches takes set_id';
comment on column catalog.embedding_sets.provider is
    'provider of the vectors, such as local or openai (OpenAI or a compatible service)';
comment on column catalog.embedding_sets.model is 'name of the embedding model, such as text-embedding-3-small';
comment on column catalog.embedding_sets.dimensions is 'number of values in each vector';
comment on column catalog.embedding_sets.template is 'version of the text that is made of a film and embedded';
comment on column catalog.embedding_sets.is_active is 'true for the one set that searches use when they name none';
comment on column catalog.embedding_sets.activated_at is 'when searches last began to use this set; null if they never did';
comment on column catalog.embedding_sets.retired_at is 'when another set took its place; null while it is active or being built';
comment on column catalog.embedding_sets.ef_search is
    'number of films that a search in the graph of the index visits, as measured; null until it is';

comment on table catalog.title_ratings is
    'the average rating of a film at one source other than TMDB; the film need not be in the catalogue';
comment on column catalog.title_ratings.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_ratings.source is 'name of the source: imdb, movielens, or a name of your own from a CSV';
comment on column catalog.title_ratings.scale_min is 'lowest vote that the source takes, such as 1 at IMDb';
comment on column catalog.title_ratings.scale_max is 'highest vote that the source takes, such as 10 at IMDb';
comment on column catalog.title_ratings.raw_value is
    'average vote on the source''s own scale, between scale_min and scale_max';
comment on column catalog.title_ratings.value is 'average vote on a scale of 0 to 100, computed from raw_value';
comment on column catalog.title_ratings.votes is 'number of votes behind the average, at least 1';
comment on column catalog.title_ratings.seen_at is
    'when the source published the rating if it tells, otherwise when the file was read';

comment on table catalog.omdb_ratings is
    'the rating of a title that OMDb passes on; title_rating_sources has those that no file has, too';
comment on column catalog.omdb_ratings.title_id is
    'key of the title: that of a movie is its tmdb_id, that of a series 1,000,000,000 plus its tmdb_id';
comment on column catalog.omdb_ratings.source is
    'imdb: average vote; rotten_tomatoes: percentage of critics who recommend it; metacritic: weighted average of critics';
comment on column catalog.omdb_ratings.scale_min is 'lowest value of the source: 1 at IMDb, else 0';
comment on column catalog.omdb_ratings.scale_max is 'highest value of the source: 10 at IMDb, else 100';
comment on column catalog.omdb_ratings.raw_value is 'value on the source''s own scale, between scale_min and scale_max';
comment on column catalog.omdb_ratings.value is 'value on a scale of 0 to 100, computed from raw_value';
comment on column catalog.omdb_ratings.votes is 'number of votes at IMDb; null for critics, whose number OMDb does not have';
comment on column catalog.omdb_ratings.seen_at is 'when OMDb was asked';

comment on view catalog.film_scores is 'the score of a film by the current method; order by score_low to rank films';
comment on column catalog.film_scores.tmdb_id is 'TMDB''s id of the film, as in https://www.themoviedb.org/movie/603';
comment on column catalog.film_scores.votes is 'number of votes over all sources';
comment on column catalog.film_scores.score is 'score from 0 to 100, drawn towards the mean of all films if votes are few';
comment on column catalog.film_scores.score_low is
    'lower end of the 95 % interval of the score, 0 to 100; the value to rank films by';
comment on column catalog.film_scores.score_high is 'upper end of the 95 % interval of the score, 0 to 100';
comment on column catalog.film_scores.source_scores is
    'for each source: its score on the common scale, the value from 0 to 100 that it was made from, and its '
    'votes';
comment on column catalog.film_scores.method_version is 'method that computed the score, a row of catalog.rating_methods';
comment on column catalog.film_scores.computed_at is 'when the score was last computed; it stays while nothing moves it';

comment on view catalog.film_weights is
    'what liking a film says for and against other films, by the recommendation model that is in use';
comment on column catalog.film_weights.tmdb_id is 'TMDB''s id of the film, as in https://www.themoviedb.org/movie/603';
comment on column catalog.film_weights.popularity is
    'how many people of the histories like the film, 0 to 1: log(1 + people), divided by that of the most liked '
    'film';
comment on column catalog.film_weights.others is 'TMDB''s ids of up to 200 films with the largest weights';
comment on column catalog.film_weights.weights is
    'weight of each film in others, in the same order; positive speaks for it, negative against it';

comment on table catalog.genres is 'a genre of films';
comment on column catalog.genres.genre_id is 'TMDB''s id of the genre';
comment on column catalog.genres.name is 'name of the genre, in English';

comment on view catalog.group_scores is 'the score of a group of films by the current method';
comment on column catalog.group_scores.scope is 'kind of group: genre, year, decade, language, country, collection or person';
comment on column catalog.group_scores.key is
    'which group: TMDB''s id of a collection or person, a genre''s name, a year or decade, an ISO code';
comment on column catalog.group_scores.label is 'name to show: that of the collection or person, otherwise the key';
comment on column catalog.group_scores.films is 'number of films in the group that have votes';
comment on column catalog.group_scores.votes is 'number of votes over all films of the group and all sources';
comment on column catalog.group_scores.score is 'score from 0 to 100, drawn towards the mean of all groups if films are few';
comment on column catalog.group_scores.score_low is
    'lower end of the 95 % interval of the score, 0 to 100; the value to rank groups by';
comment on column catalog.group_scores.score_high is 'upper end of the 95 % interval of the score, 0 to 100';
comment on column catalog.group_scores.source_scores is 'for each source: how many films of the group and votes it contributes';
comment on column catalog.group_scores.method_version is 'method that computed the score, a row of catalog.rating_methods';
comment on column catalog.group_scores.computed_at is 'when the score was last computed; it stays while nothing moves it';

comment on table catalog.keywords is 'a keyword that describes films';
comment on column catalog.keywords.keyword_id is 'TMDB''s id of the keyword';
comment on column catalog.keywords.name is 'the keyword itself, in English and mostly in lower case';

comment on table catalog.title_alternative_titles is
    'a title under which a film is known in a country, beside its translated titles';
comment on column catalog.title_alternative_titles.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_alternative_titles.country is
    'country of the title, ISO 3166-1 alpha-2; empty if TMDB names none';
comment on column catalog.title_alternative_titles.title is 'the alternative title itself';
comment on column catalog.title_alternative_titles.kind is
    'what TMDB says of the title, such as working title or DVD title; null if it says nothing';

comment on table catalog.title_cast is 'a person''s role in a film; the first 30 by billing';
comment on column catalog.title_cast.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_cast.person_id is 'TMDB''s id of the person, a row of catalog.people';
comment on column catalog.title_cast.billing is 'position in the credits; 0 is the lead';
comment on column catalog.title_cast.character is 'name of the role; null if TMDB has none';

comment on table catalog.title_certifications is 'a film''s age certification in a country';
comment on column catalog.title_certifications.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_certifications.country is 'country of the certification, ISO 3166-1 alpha-2';
comment on column catalog.title_certifications.certification is
    'certification as the country''s board writes it, such as PG-13 or 16';
comment on column catalog.title_certifications.release_type is
    'release that was certified: 1 premiere, 2 limited, 3 theatrical (preferred), 4 digital, 5 physical, 6 TV; '
    'null if unknown';
comment on column catalog.title_certifications.age is
    'age in years from which on the title is suitable by all its certifications in the country; null if one is unknown';
comment on column catalog.title_certifications.released is 'date of that release in the country; null if unknown';

comment on table catalog.title_collections is 'the collection that a film belongs to';
comment on column catalog.title_collections.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_collections.collection_id is 'TMDB''s id of the collection, a row of catalog.collections';

comment on table catalog.title_companies is 'a company that produced a film';
comment on column catalog.title_companies.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_companies.company_id is 'TMDB''s id of the company, a row of catalog.companies';

comment on table catalog.title_countries is 'a country in which a film was produced';
comment on column catalog.title_countries.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_countries.country is 'country of production, ISO 3166-1 alpha-2 such as FR';
comment on column catalog.title_countries.name is 'name of the country, in English; null if TMDB has none';

comment on table catalog.title_crew is 'a person''s job in a film; 16 jobs that people search by, such as Director';
comment on column catalog.title_crew.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_crew.person_id is 'TMDB''s id of the person, a row of catalog.people';
comment on column catalog.title_crew.job is 'name of the job, in English, such as Director or Original Music Composer';
comment on column catalog.title_crew.department is
    'TMDB''s department of the job, such as Directing or Sound; null if TMDB has none';

comment on table catalog.title_external_ids is 'a film''s id at another place: IMDb, Wikidata, social media';
comment on column catalog.title_external_ids.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_external_ids.source is 'where the id is used: imdb, wikidata, facebook, instagram or twitter';
comment on column catalog.title_external_ids.value is 'the id there, such as tt0133093 at IMDb';

comment on table catalog.title_genres is 'a genre of a film';
comment on column catalog.title_genres.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_genres.genre_id is 'TMDB''s id of the genre, a row of catalog.genres';

comment on table catalog.title_keywords is 'a keyword of a film';
comment on column catalog.title_keywords.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_keywords.keyword_id is 'TMDB''s id of the keyword, a row of catalog.keywords';

comment on table catalog.title_languages is 'a language that is spoken in a film';
comment on column catalog.title_languages.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_languages.language is 'language that is spoken, ISO 639-1 such as en';
comment on column catalog.title_languages.name is 'name of the language in the language itself; null if TMDB has none';

comment on table catalog.title_names is 'a distinct name of a film after normalisation, for finding films by title';
comment on column catalog.title_names.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_names.normalised is
    'the name in lower case without accents and punctuation: catalog.normalised(name)';
comment on column catalog.title_names.key is
    'the normalised name without a leading article and blanks: catalog.title_key(name); names with one key count '
    'as the same title';
comment on column catalog.title_names.kind is 'where the name is from: title, original, alternative or translated';
comment on column catalog.title_names.name is 'the name as TMDB writes it';

comment on table catalog.title_stats is
    'a film''s popularity and votes, as TMDB last reported them: popularity daily, votes of quiet films within a week '
    '(MOVIE_ASSETS_VOTES_DAYS)';
comment on column catalog.title_stats.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_stats.popularity is
    'TMDB''s popularity measure, 0 or more; only comparable within a day, as TMDB changes its scale';
comment on column catalog.title_stats.vote_average is 'average of TMDB''s votes, 0 to 10; 0 if there are no votes';
comment on column catalog.title_stats.vote_count is 'number of votes at TMDB';
comment on column catalog.title_stats.seen_at is
    'when these figures were last received from TMDB''s lists or from the film''s details';

comment on table catalog.title_stats_history is
    'popularity and votes of a film on a day on which they moved, kept for two years, also for films that left';
comment on column catalog.title_stats_history.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_stats_history.day is
    'day (UTC) on which the figures changed; they hold until the film''s next row';
comment on column catalog.title_stats_history.popularity is
    'TMDB''s popularity measure on this day; only comparable within a day';
comment on column catalog.title_stats_history.vote_average is 'average of TMDB''s votes on this day, 0 to 10';
comment on column catalog.title_stats_history.vote_count is 'number of votes at TMDB on this day';

comment on table catalog.title_translations is 'a film''s title and plot in another language';
comment on column catalog.title_translations.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_translations.language is 'language of the texts, ISO 639-1 such as de';
comment on column catalog.title_translations.country is
    'country that the translation is for, ISO 3166-1 alpha-2 such as AT; empty if TMDB names none';
comment on column catalog.title_translations.title is 'translated title; null if TMDB has none';
comment on column catalog.title_translations.overview is 'translated plot; null if TMDB has none';
comment on column catalog.title_translations.tagline is 'translated tagline; null if TMDB has none';

comment on view catalog.movie_vectors is 'a film''s vector in the active embedding set: what searches use';
comment on column catalog.movie_vectors.tmdb_id is 'TMDB''s id of the film, as in https://www.themoviedb.org/movie/603';
comment on column catalog.movie_vectors.text_hash is
    'hash of the text that the vector was made from; the vector is up to date if catalog.titles has the same one';
comment on column catalog.movie_vectors.embedding is
    'vector of length 1 in half precision (halfvec); compare with the cosine operator <=>';

comment on table catalog.title_videos is 'a trailer, teaser or clip of a film';
comment on column catalog.title_videos.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_videos.key is 'id of the video at its site, such as the v= of a YouTube address';
comment on column catalog.title_videos.site is 'where the video is, mostly YouTube or Vimeo; empty if unknown';
comment on column catalog.title_videos.name is 'title of the video; null if TMDB has none';
comment on column catalog.title_videos.kind is 'TMDB''s type: Trailer, Teaser, Clip, Featurette and others; null if unknown';
comment on column catalog.title_videos.language is 'language of the video, ISO 639-1; null if unknown';
comment on column catalog.title_videos.is_official is 'true if the studio published the video itself';
comment on column catalog.title_videos.published is 'day on which the video was published; null if unknown';

comment on table catalog.title_watch_providers is
    'a service that offers a film in a country; data of JustWatch, to be credited wherever it is shown';
comment on column catalog.title_watch_providers.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_watch_providers.country is 'country of the offer, ISO 3166-1 alpha-2';
comment on column catalog.title_watch_providers.kind is 'how it is offered: flatrate (subscription), free, ads, rent or buy';
comment on column catalog.title_watch_providers.provider_id is 'TMDB''s id of the service, a row of catalog.watch_providers';
comment on column catalog.title_watch_providers.link is
    'TMDB''s page with all offers for the film in this country; null if TMDB has none';

comment on table catalog.titles is
    'a film that passed a profile (or was asked for with keep), with the facts that TMDB has of it';
comment on column catalog.titles.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.titles.imdb_id is 'id at IMDb, such as tt0133093; null if TMDB does not know it';
comment on column catalog.titles.title is 'title in English, or the original title if there is no English one';
comment on column catalog.titles.original_title is 'title in the original language';
comment on column catalog.titles.original_language is 'original language, ISO 639-1 such as en; null if unknown';
comment on column catalog.titles.release_date is 'date of the first release in any country; null if unknown';
comment on column catalog.titles.release_year is 'year of release_date; null if unknown';
comment on column catalog.titles.runtime_minutes is 'running time in minutes; null if TMDB has none';
comment on column catalog.titles.status is
    'state of the production: Released, Post Production, In Production, Planned, Rumored or Canceled; null if '
    'unknown';
comment on column catalog.titles.tagline is 'advertising line of the film, in English; null if TMDB has none';
comment on column catalog.titles.overview is 'plot in a few sentences, in English; null if TMDB has none';
comment on column catalog.titles.genres is 'names of the genres, in English; empty if TMDB has none';
comment on column catalog.titles.keywords is 'TMDB''s keywords, in English; empty if TMDB has none';
comment on column catalog.titles.directors is 'names of the directors; empty if TMDB has none';
comment on column catalog.titles.leading_cast is 'names of the leading actors, the lead first; empty if TMDB has none';
comment on column catalog.titles.countries is 'countries of production, ISO 3166-1 alpha-2; empty if unknown';
comment on column catalog.titles.collection_id is
    'TMDB''s id of the collection that the film belongs to; null if it belongs to none';
comment on column catalog.titles.collection is 'name of the collection that the film belongs to; null if it belongs to none';
comment on column catalog.titles.certification is 'age certification in the United States, such as PG-13; null if unknown';
comment on column catalog.titles.budget is 'cost of production in US dollars; null if unknown';
comment on column catalog.titles.revenue is 'box office in US dollars; null if unknown';
comment on column catalog.titles.poster_path is
    'path of the poster image, to be appended to https://image.tmdb.org/t/p/w500; null if TMDB has none';
comment on column catalog.titles.backdrop_path is
    'path of the wide background image, to be appended to https://image.tmdb.org/t/p/w1280; null if TMDB has '
    'none';
comment on column catalog.titles.embedding_text is 'text that is made of the facts above and embedded';
comment on column catalog.titles.text_hash is
    'hash of embedding_text; a vector that was made from a text with another hash is out of date';
comment on column catalog.titles.changed_at is 'when a fact of the film last changed (not when it was last fetched)';
comment on column catalog.titles.facts_hash is
    'hash of the film''s rows in the other tables (cast, crew, genres …); they are written again when it changes';

comment on table catalog.people is 'a person who acts in a film or worked on it';
comment on column catalog.people.person_id is 'TMDB''s id of the person, as in https://www.themoviedb.org/person/<id>';
comment on column catalog.people.name is 'name as TMDB writes it';
comment on column catalog.people.gender is '1 female, 2 male, 3 non-binary; null if unknown';
comment on column catalog.people.profile_path is
    'path of a portrait, to be appended to https://image.tmdb.org/t/p/w185; null if TMDB has none';

comment on table catalog.title_trends is
    'a film''s popularity now against what is usual for it; computed anew each day by tmdb_discoveries';
comment on column catalog.title_trends.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_trends.day is 'newest day (UTC) that the computation used';
comment on column catalog.title_trends.days is 'on how many of the last 28 days the film''s popularity is known, 1 to 28';
comment on column catalog.title_trends.recent is
    'mean of ln(1 + popularity / median popularity of the catalogue on the day), with weights that halve each '
    'day of age';
comment on column catalog.title_trends.usual is 'the same mean with weights that halve every seven days of age';
comment on column catalog.title_trends.velocity is
    'recent - usual; 0.7 means about twice as popular as usual, negative means less popular than usual';

comment on table catalog.postings is 'the films that have a word; searches by words add up the rarities of a film''s words here';
comment on column catalog.postings.key is
    'English stem of the word, the word itself if it has none; empty for the row of all films; stop words have no row';
comment on column catalog.postings.part is
    '0 for the films that were listed when all rows were last made anew, greater for films written since';
comment on column catalog.postings.films is
    'TMDB''s ids of the titles; a title may have lost the word since';
comment on column catalog.postings.page is 'the media type of the titles: 0 movies, 1 series';

comment on table catalog.rating_aggregates is
    'a score from 0 to 100 with its 95 % interval, of a film or of a group of films, by one method';
comment on column catalog.rating_aggregates.scope is
    'what is scored: film (any title), genre, year, decade, language, country, collection or person';
comment on column catalog.rating_aggregates.key is
    'which one: key of a title, TMDB''s id of a collection or person, a genre''s name, a year or decade, an ISO code';
comment on column catalog.rating_aggregates.films is 'number of films that the score is made from; 1 for a film';
comment on column catalog.rating_aggregates.votes is 'number of votes over all films and sources that the score is made from';
comment on column catalog.rating_aggregates.score is 'score from 0 to 100, drawn towards the mean where votes are few';
comment on column catalog.rating_aggregates.score_low is 'lower end of the 95 % interval of the score; the value to rank by';
comment on column catalog.rating_aggregates.score_high is 'upper end of the 95 % interval of the score';
comment on column catalog.rating_aggregates.method_version is 'method that computed the score, a row of catalog.rating_methods';
comment on column catalog.rating_aggregates.computed_at is 'when the score was last computed; it stays while nothing moves it';
comment on column catalog.rating_aggregates.source_scores is
    'for each source: of a film its score on the common scale, the value from 0 to 100 that it was made from, '
    'and votes; of a group its films and votes';

comment on table catalog.rating_methods is 'a method to compute scores; one of them is current for each media type';
comment on column catalog.rating_methods.method_version is 'name and version of the method';
comment on column catalog.rating_methods.media_type is 'media type of the titles that it scores: movie or series';
comment on column catalog.rating_methods.is_current is
    'true for the one method of its media type whose scores catalog.title_scores and catalog.title_group_scores show';
comment on column catalog.rating_methods.says is 'what the method does, in one sentence';
comment on column catalog.rating_methods.parameters is 'constants of the method and what it estimated from the data, by name';
comment on column catalog.rating_methods.computed_at is
    'when scores were last computed by it; votes and ratings that arrived later are not yet in them';
comment on column catalog.rating_methods.fingerprint is
    'hash of the input and the scores; while it is the same, nothing has to be computed again; null before the '
    'first computation';

comment on view catalog.rating_sources is 'the average rating of a film at one source, TMDB included';
comment on column catalog.rating_sources.tmdb_id is 'TMDB''s id of the film, as in https://www.themoviedb.org/movie/603';
comment on column catalog.rating_sources.source is
    'name of the source: tmdb, imdb, rotten_tomatoes, metacritic, movielens, or a name of your own from a CSV';
comment on column catalog.rating_sources.scale_min is 'lowest vote that the source takes';
comment on column catalog.rating_sources.scale_max is 'highest vote that the source takes';
comment on column catalog.rating_sources.raw_value is 'average vote on the source''s own scale, between scale_min and scale_max';
comment on column catalog.rating_sources.value is 'average vote on a scale of 0 to 100';
comment on column catalog.rating_sources.votes is
    'number of votes behind the average, at least 1; null for critics (rotten_tomatoes, metacritic), which count in no score';
comment on column catalog.rating_sources.seen_at is
    'when the source published the rating if it tells, otherwise when it was received';

comment on table catalog.recommended_titles is
    'a title in a list that was made for a person; catalog.recommended_titles_for returns the reasons too';
comment on column catalog.recommended_titles.person is 'whose list it is, a person of catalog.watched_titles';
comment on column catalog.recommended_titles.place is 'position in the person''s list of its media type; 1 is the best';
comment on column catalog.recommended_titles.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.recommended_titles.score is
    'score of the film for this person; higher is better, comparable only within the list';
comment on column catalog.recommended_titles.because is 'title_ids of the person''s titles that speak most for it';
comment on column catalog.recommended_titles.because_weights is 'how much each film in because says for it, in the same order';

comment on view catalog.scored_films is 'a film with its figures and its score: the columns that all lists of films share';
comment on column catalog.scored_films.tmdb_id is 'TMDB''s id of the film, as in https://www.themoviedb.org/movie/603';
comment on column catalog.scored_films.title is 'title in English, or the original title if there is no English one';
comment on column catalog.scored_films.release_date is 'date of the first release in any country; null if unknown';
comment on column catalog.scored_films.release_year is 'year of release_date; null if unknown';
comment on column catalog.scored_films.genres is 'names of the genres, in English; empty if TMDB has none';
comment on column catalog.scored_films.original_language is 'original language, ISO 639-1 such as en; null if unknown';
comment on column catalog.scored_films.runtime_minutes is 'running time in minutes; null if TMDB has none';
comment on column catalog.scored_films.poster_path is
    'path of the poster image, to be appended to https://image.tmdb.org/t/p/w500; null if TMDB has none';
comment on column catalog.scored_films.popularity is 'TMDB''s popularity measure, 0 or more; only comparable within a day';
comment on column catalog.scored_films.vote_average is 'average of TMDB''s votes, 0 to 10';
comment on column catalog.scored_films.vote_count is 'number of votes at TMDB';
comment on column catalog.scored_films.score is
    'score from 0 to 100 over all sources; null without votes and until ratings were aggregated';
comment on column catalog.scored_films.score_low is
    'lower end of the 95 % interval of the score; lists rank by it, so that films with few votes do not lead '
    'them';
comment on column catalog.scored_films.score_high is 'upper end of the 95 % interval of the score; null if score is';

comment on table catalog.title_documents is 'a film as words, for full-text search';
comment on column catalog.title_documents.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_documents.titles is
    'words of every title; weight A: the title and the original title, also stemmed (English), weight B: other '
    'titles';
comment on column catalog.title_documents.words is
    'all words; weight A: titles, B: people, C: keywords, genres and collection, D: tagline and overview';

comment on view catalog.seen_titles is 'a title that a person saw, with the person''s rating';
comment on column catalog.seen_titles.person is 'who saw it, a person of catalog.watched_titles';
comment on column catalog.seen_titles.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.seen_titles.rating is
    'the person''s rating from 0 to 100, of a series without one the average of its episodes''; null if not rated';
comment on column catalog.seen_titles.seen_at is 'when the person last saw it, or an episode of it; null if no source tells';

comment on view catalog.seen_films is 'a film that a person saw, with the person''s rating';
comment on column catalog.seen_films.person is 'who saw it, a person of catalog.watched_titles';
comment on column catalog.seen_films.tmdb_id is 'TMDB''s id of the film, as in https://www.themoviedb.org/movie/603';
comment on column catalog.seen_films.rating is 'the person''s rating from 0 to 100; null if not rated';
comment on column catalog.seen_films.seen_at is 'when the person last saw it; null if no source tells';

comment on table catalog.similar_titles is 'a film in the list of the ten films nearest to another film';
comment on column catalog.similar_titles.title_id is 'TMDB''s id of the film whose list this is';
comment on column catalog.similar_titles.place is 'position in the list, 1 to 10; 1 is the nearest';
comment on column catalog.similar_titles.similar_id is 'TMDB''s id of the film that is near it';
comment on column catalog.similar_titles.similarity is
    'cosine similarity of both vectors, -1 to 1; catalog.similarity_thresholds tells what a value means';
comment on column catalog.similar_titles.shared_features is
    'what both films have: {"people": […], "genres": […], "keywords": […], "collection": "…"}, empty parts left '
    'out';

comment on view catalog.similarity_thresholds is 'what a similarity of two films means in an embedding set, as last measured';
comment on column catalog.similarity_thresholds.set_id is 'number of the embedding set';
comment on column catalog.similarity_thresholds.name is 'provider, model, dimensions and template of the set';
comment on column catalog.similarity_thresholds.is_active is 'true for the set that searches use';
comment on column catalog.similarity_thresholds.loose is '99 of 100 pairs of films at random are less similar than this';
comment on column catalog.similarity_thresholds.related is 'half of the films have ten others that are at least this similar';
comment on column catalog.similarity_thresholds.very_similar is
    'a quarter of the films have another one that is at least this similar';
comment on column catalog.similarity_thresholds.films is 'number of films in the set when it was measured';
comment on column catalog.similarity_thresholds.measured_at is 'when the thresholds were measured';

comment on view catalog.title_standings is 'how well known a title is among those of its media type';
comment on column catalog.title_standings.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_standings.standing is
    'from 0 to 1: people who like it by the model in use, or TMDB''s votes without one; the largest of its media type is 1';

comment on view catalog.title_weights is
    'what liking a title says for and against others of its media type, by the recommendation model that is in use';
comment on column catalog.title_weights.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.title_weights.popularity is
    'how many people like the title, 0 to 1: log(1 + people), divided by that of the most liked title of its media type';
comment on column catalog.title_weights.others is 'title_ids of up to 200 titles with the largest weights';
comment on column catalog.title_weights.weights is
    'weight of each title in others, in the same order; positive speaks for it, negative against it';

comment on view catalog.series_weights is
    'what liking a series says for and against other series, by the recommendation model that is in use';
comment on column catalog.series_weights.title_id is 'key of the series: 1,000,000,000 plus TMDB''s id of it';
comment on column catalog.series_weights.popularity is
    'how many people like the series, 0 to 1: log(1 + people), divided by that of the most liked series';
comment on column catalog.series_weights.others is 'title_ids of up to 200 series with the largest weights';
comment on column catalog.series_weights.weights is
    'weight of each series in others, in the same order; positive speaks for it, negative against it';

comment on view catalog.standings is 'how well known a film is';
comment on column catalog.standings.tmdb_id is 'TMDB''s id of the film, as in https://www.themoviedb.org/movie/603';
comment on column catalog.standings.standing is
    '0 (least known) to 1 (best known), by how many people of the histories like it, or by TMDB''s votes while no '
    'model is in use';

comment on view catalog.successors is 'an id that TMDB merged into another';
comment on column catalog.successors.tmdb_id is 'TMDB''s id that no longer exists';
comment on column catalog.successors.successor_id is 'TMDB''s id of the film that it was merged into';
comment on column catalog.successors.gone_since is 'day from which the old id was missing';

comment on table catalog.vocabulary is 'a word that films are found by, for correcting misspelt searches';
comment on column catalog.vocabulary.word is
    'the word, normalised like titles; '''' in the row that counts the documents of another media type than movies';
comment on column catalog.vocabulary.media_type is 'movie or series: whose documents are counted';
comment on column catalog.vocabulary.films is 'number of titles of the media type that contain the word';
comment on column catalog.vocabulary.trigrams is 'groups of three letters of the word, by which similar words are found';

comment on table catalog.watched_episodes is 'an episode that somebody has seen, from one source';
comment on column catalog.watched_episodes.person is 'who saw it, for example me';
comment on column catalog.watched_episodes.episode_id is 'TMDB''s id of the episode, as in catalog.episodes';
comment on column catalog.watched_episodes.source is 'where the entry was exported: imdb, trakt or simkl';
comment on column catalog.watched_episodes.title_id is 'key of the series, as in catalog.titles';
comment on column catalog.watched_episodes.rating is
    'rating from 0 to 100, converted from the source''s scale; null if not rated';
comment on column catalog.watched_episodes.seen_at is 'when the person last saw it; null if the source does not tell';

comment on table catalog.watched_titles is
    'a film in somebody''s history or watchlist, from one source; the film need not be in the catalogue';
comment on column catalog.watched_titles.person is 'whose entry it is, for example me, or movielens:1';
comment on column catalog.watched_titles.title_id is
    'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603';
comment on column catalog.watched_titles.source is
    'where the entry was exported: letterboxd, imdb, movielens, or list for plain lists';
comment on column catalog.watched_titles.is_wanted is 'true if the film is on a watchlist and not known to be seen';
comment on column catalog.watched_titles.rating is 'rating from 0 to 100, converted from the source''s scale; null if not rated';
comment on column catalog.watched_titles.seen_at is 'when the person last saw it; null if the source does not tell';
comment on column catalog.watched_titles.imported_at is 'when the entry was imported or last changed by an import';

comment on table catalog.watch_providers is 'a service on which films can be watched';
comment on column catalog.watch_providers.provider_id is 'TMDB''s id of the service';
comment on column catalog.watch_providers.name is 'name of the service, such as Netflix';

comment on view catalog.trending is
    'films more popular than is usual for them, the fastest rising first: the difference of two exponentially '
    'weighted means of log popularity against the catalogue''s median (half-lives of 1 and 7 days, last 28 days); '
    'updated once a day';
comment on column catalog.trending.rank is 'position in the list; 1 rises fastest';
comment on column catalog.trending.velocity is
    'how much more popular than usual: 0.7 is about twice as popular; it halves in about a week';
comment on column catalog.trending.days_of_history is
    'on how many of the last 28 days the popularity is known; with few days velocity is small';
comment on column catalog.trending.as_of is 'newest day (UTC) that the list is made from';

comment on view catalog.hidden_gems is
    'films whose score is high even at the lower end of its interval (top fifth of the catalogue) and that few '
    'know (lower half by votes and by popularity); shares of the catalogue, so that a change of TMDB''s scales '
    'moves nothing';
comment on column catalog.hidden_gems.rank is 'position in the list; 1 is the best';

comment on view catalog.by_genre is
    'the best films of each genre, by the lower end of the score''s interval; ask for one: where genre = ''Drama'' '
    'and rank <= 20';
comment on column catalog.by_genre.genre is 'name of the genre, in English; a film is listed in each of its genres';
comment on column catalog.by_genre.rank is 'position within the genre; 1 is the best';

comment on view catalog.new_releases is
    'films first released within the last 90 days (UTC), the newest first; which of them are in the catalogue at '
    'all is for the profiles: `quality` waits for 100 votes, `new_releases` for ten';
comment on column catalog.new_releases.rank is 'position in the list; 1 is the newest';
comment on column catalog.new_releases.days_since_release is 'days from the release to today (UTC), 0 to 90';

comment on view catalog.upcoming is
    'films of the catalogue with a release date to come, the nearest first. Few have the votes that a profile '
    'asks for before they are out: films that an application asked for with keep (pipeline.requested_titles) are '
    'here, too';
comment on column catalog.upcoming.rank is 'position in the list; 1 is the next to be released';
comment on column catalog.upcoming.days_until_release is 'days from today (UTC) to the release, 1 or more';
comment on column catalog.upcoming.status is 'state of the production, such as Post Production or Planned; null if unknown';

comment on view catalog.award_worthy is
    'the films of each year that would be nominated if audiences were the jury: its top 5 % by the lower end of '
    'the score''s interval, features (40 minutes or more, as the Academy counts) outside the quarter with the '
    'fewest votes. A proxy: TMDB has no awards, and its keywords about awards name the subject of a film. It '
    'knows neither juries nor nominations';
comment on column catalog.award_worthy.season is 'year of the first release, for which the film is listed';
comment on column catalog.award_worthy.rank is 'position within the season; 1 is the best';

-- The lists of films share the columns of catalog.scored_films, and the table of each embedding set is commented on when it is made.
do $$
declare
    found record;
begin
    for found in
        select v.oid::regclass as list, a.attname as name, col_description(s.attrelid, s.attnum) as comment
        from pg_attribute s join pg_attribute a using (attname) join pg_class v on v.oid = a.attrelid
        where s.attrelid = 'catalog.scored_films'::regclass and s.attnum > 0 and v.oid = any (array[
            'catalog.trending', 'catalog.hidden_gems', 'catalog.by_genre', 'catalog.new_releases', 'catalog.upcoming',
            'catalog.award_worthy']::regclass[])
    loop
        execute format('comment on column %s.%I is %L', found.list, found.name, found.comment);
    end loop;
    perform pipeline.comment_on_vectors(s.set_id, m)
    from catalog.embedding_sets s cross join lateral pipeline.media_of_set(s.set_id) m;
end
$$;
