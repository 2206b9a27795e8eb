-- name: calendar
-- Run by `movie-assets calendar`: what comes out in a period.
select * from catalog.calendar(
    :region, cast(:kinds as integer[]), cast(:from_day as date), cast(:to_day as date), cast(:media_types as text[]))


-- name: calendar_ics
-- Run by `movie-assets calendar --ics`: the same as the text of an iCalendar file.
select catalog.calendar_ics(
    :region, cast(:kinds as integer[]), cast(:from_day as date), cast(:to_day as date), cast(:media_types as text[]))


-- name: unknown_certifications
-- Run by certifications_are_known: the labels of certifications without an age, those that most titles have first.
select c.media_type, c.country, c.label, c.titles, c.certified
from (
    select catalog.media_type(a.title_id) as media_type, a.country, a.certification as label, count(*)::bigint as titles,
        sum(count(*)) over (partition by catalog.media_type(a.title_id), a.country)::bigint as certified
    from (
        select t.title_id, t.country, t.certification from catalog.title_certifications t
        union
        select r.title_id, r.country, r.certification from catalog.release_dates r where r.certification is not null
    ) a
    group by 1, a.country, a.certification
) c
left join catalog.certification_ages k using (media_type, country, label)
where k.label is null and catalog.age_in_label(c.label) is null
order by c.titles desc, c.media_type, c.country, c.label


-- name: texts_by_language
-- Run by texts_are_in_all_languages: the titles of each media type that have texts in a language, a poster at all,
-- fetched images, and a poster in the language among them.
select l.language, catalog.media_type(t.title_id) as media_type, count(*)::bigint as titles,
    (count(*) filter (where x.has_title or t.original_language = l.language or l.language = 'en' and t.title <> t.original_title))::bigint
        as own_titles,
    (count(*) filter (where x.has_overview or l.language = 'en' and t.overview <> ''))::bigint as overviews,
    count(t.poster_path)::bigint as posters,
    count(f.fetched_at)::bigint as fetched,
    (count(*) filter (where exists (
        select from catalog.title_images g
        where (g.title_id, g.kind, g.language) = (t.title_id, 'poster', l.language))))::bigint as own_posters
from catalog.titles t
cross join unnest(cast(:languages as text[])) with ordinality as l (language, place)
left join pipeline.title_image_fetches f on f.title_id = t.title_id
left join (
    select a.title_id, a.language, bool_or(a.title <> '') as has_title, bool_or(a.overview <> '') as has_overview
    from catalog.title_translations a where a.language = any(cast(:languages as text[]))
    group by a.title_id, a.language
) x on (x.title_id, x.language) = (t.title_id, l.language)
group by l.language, catalog.media_type(t.title_id)
order by min(l.place), media_type


-- name: images_due
-- Run by title_images: the titles whose images are to be fetched, the most popular first, as one array.
select coalesce(array_agg(d.title_id order by s.popularity desc nulls last, d.title_id), '{}') as title_ids
from pipeline.images_due(:as_of, cast(:media as text[]), cast(:languages as text[])) as d (title_id)
left join catalog.title_stats s using (title_id)


-- name: count_images_due
-- Run by movie-assets cost: the number of calls for images that are due.
select count(*)::bigint from pipeline.images_due(:as_of, cast(:media as text[]), cast(:languages as text[]))


-- name: record_image_fetches
-- Run by title_images for a chunk of responses: when the images of titles were fetched. Titles that left meanwhile are left out.
insert into pipeline.title_image_fetches as f (title_id, languages, fetched_at)
select t.title_id, cast(:languages as text[]), :as_of
from jsonb_to_recordset(cast(:titles as jsonb)) as r (title_id bigint)
join catalog.titles t using (title_id)
for key share of t
on conflict (title_id) do update
set languages = excluded.languages, fetched_at = excluded.fetched_at, attempts = 0, next_attempt_at = null, last_error = null


-- name: delete_images
-- Run by title_images before the images in a chunk of responses are stored.
delete from catalog.title_images i
using jsonb_to_recordset(cast(:titles as jsonb)) as r (title_id bigint)
where i.title_id = r.title_id


-- name: store_images
-- Run by title_images: the images of titles whose fetch was recorded.
insert into catalog.title_images (title_id, kind, path, language, position, width, height, vote_average, vote_count)
select f.title_id, i.kind, i.path, i.language, i.position, i.width, i.height, i.vote_average, i.vote_count
from jsonb_to_recordset(cast(:titles as jsonb)) as r (title_id bigint, images jsonb)
join pipeline.title_image_fetches f using (title_id)
cross join jsonb_to_recordset(r.images) as i (
    kind text, path text, language text, position smallint, width integer, height integer, vote_average double precision,
    vote_count integer
)


-- name: record_failed_images
-- Run by title_images: titles without a usable response, which keep the images that they had. The next attempt is 1, 2, 4 … hours
-- later, a week at most.
insert into pipeline.title_image_fetches as f (title_id, attempts, next_attempt_at, last_error)
select t.title_id, 1, cast(:as_of as timestamptz) + interval '1 hour', r.error
from jsonb_to_recordset(cast(:failures as jsonb)) as r (title_id bigint, error text)
join catalog.titles t using (title_id)
for key share of t
on conflict (title_id) do update
set attempts = f.attempts + 1, last_error = excluded.last_error,
    next_attempt_at = cast(:as_of as timestamptz) + least(interval '7 days', interval '1 hour' * 2 ^ least(f.attempts, 10))


-- name: replace_image_sizes
-- Run by tmdb_configuration: the sizes and addresses of TMDB's images, instead of those of before.
with read as (
    select * from jsonb_to_recordset(cast(:sizes as jsonb)) as r (kind text, size text, position smallint, base_url text)
), dropped as (
    delete from catalog.image_sizes s where not exists (select from read r where (r.kind, r.size) = (s.kind, s.size))
)
insert into catalog.image_sizes (kind, size, position, base_url, read_at)
select r.kind, r.size, r.position, r.base_url, :as_of from read r
on conflict (kind, size) do update
set position = excluded.position, base_url = excluded.base_url, read_at = excluded.read_at


-- name: image_configuration
-- Run by image_sizes_are_current: counts of the known sizes and kinds of images, when they were read, and the start of addresses.
select count(*)::integer as sizes, count(distinct kind)::integer as kinds, min(read_at) as read_at, min(base_url) as base_url
from catalog.image_sizes
