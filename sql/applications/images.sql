-- Applied after the migrations whenever it changes: addresses of images, and the titles whose images are due.

-- Returns the address of an image in one of TMDB's sizes, as catalog.image_sizes has them. Null without a path, and for a size that
-- TMDB does not have (any more): a query that makes addresses does not fail because TMDB drops a size.
create or replace function catalog.image_url(path text, size text default 'original') returns text
language sql stable
as $$
    select (select s.base_url from catalog.image_sizes s where s.size = image_url.size limit 1) || image_url.size || image_url.path
$$;

-- Returns the titles of some media types whose images are due: never fetched, fetched 150 days ago or more, or without one of the
-- languages. After a failure the next attempt is 1, 2, 4 … hours later, a week at most.
create or replace function pipeline.images_due(as_of timestamptz, media text[], languages text[]) returns setof bigint
language sql stable
as $$
    select t.title_id
    from catalog.titles t left join pipeline.title_image_fetches f using (title_id)
    where catalog.media_type(t.title_id) = any(images_due.media)
        and (f.fetched_at is null or f.fetched_at <= images_due.as_of - interval '150 days'
            or not f.languages @> images_due.languages)
        and coalesce(f.next_attempt_at <= images_due.as_of, true)
$$;
