-- Comments: applied last, whenever this file or anything else of the schema changed. Images and their sizes.

comment on table catalog.title_images is
    'an image of a title at TMDB: the three with most votes of each kind and language; none unless MOVIE_ASSETS_IMAGES=on';
comment on column catalog.title_images.title_id is
    'key of the title: that of a movie is its tmdb_id, that of a series 1,000,000,000 plus its tmdb_id';
comment on column catalog.title_images.kind is 'poster, backdrop or logo; stills of episodes are in catalog.episodes';
comment on column catalog.title_images.path is 'path of the image for catalog.image_url';
comment on column catalog.title_images.language is
    'language of the words in the image, ISO 639-1 such as de; null for an image without words, or if unknown';
comment on column catalog.title_images.position is
    'place among the images of this kind and language; 1 is the first by TMDB''s votes';
comment on column catalog.title_images.width is 'width of the original in pixels; null if unknown';
comment on column catalog.title_images.height is 'height of the original in pixels; null if unknown';
comment on column catalog.title_images.vote_average is 'average vote at TMDB, 0 to 10; 0 without votes';
comment on column catalog.title_images.vote_count is 'number of votes at TMDB';

comment on table catalog.image_sizes is 'a size in which TMDB has images of a kind; catalog.image_url makes the address';
comment on column catalog.image_sizes.kind is 'backdrop, logo, poster, profile or still';
comment on column catalog.image_sizes.size is
    'TMDB''s name of the size: w342 is 342 pixels wide, h632 is 632 pixels high, original is the uploaded image';
comment on column catalog.image_sizes.position is 'place of the size among those of the kind; 1 is the smallest';
comment on column catalog.image_sizes.base_url is 'start of the address of images, with https and a slash at its end';
comment on column catalog.image_sizes.read_at is
    'when tmdb_configuration read it from TMDB; null for what this release was made with';

comment on table pipeline.title_image_fetches is 'a title whose images were requested from TMDB';
comment on column pipeline.title_image_fetches.title_id is
    'key of the title: that of a movie is its tmdb_id, that of a series 1,000,000,000 plus its tmdb_id';
comment on column pipeline.title_image_fetches.languages is 'languages that were asked for when it succeeded';
comment on column pipeline.title_image_fetches.fetched_at is 'when it last succeeded; null before';
comment on column pipeline.title_image_fetches.attempts is 'number of failed attempts since then';
comment on column pipeline.title_image_fetches.next_attempt_at is 'earliest time of the next attempt after a failure';
comment on column pipeline.title_image_fetches.last_error is 'why the last attempt failed; null if it succeeded';
