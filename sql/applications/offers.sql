-- Applied after the migrations whenever it changes: what came to providers and left them.

-- The intervals in which a provider offered a title, as fetches of the title observed them.
create or replace view catalog.offers as
select
    i.title_id, i.country, i.kind, i.provider_id,
    case when not i.is_opening then (i.first_seen at time zone 'utc')::date end as came,
    (i.first_seen at time zone 'utc')::date as first_seen,
    (coalesce(i.last_seen, d.fetched_at, i.first_seen) at time zone 'utc')::date as last_seen,
    (i.left_at at time zone 'utc')::date as "left"
from catalog.offer_intervals i left join pipeline.title_details d using (title_id);

-- Returns the offers in a country that came to a provider since a day (UTC). What a title's first fetch shows did not come then.
create or replace function catalog.offers_that_came(country text, since date)
returns table (
    came date, title_id bigint, media_type text, tmdb_id bigint, title text, kind text, provider_id bigint, provider text,
    is_there boolean
)
language sql stable
as $$
    select (i.first_seen at time zone 'utc')::date, i.title_id, catalog.media_type(i.title_id), catalog.tmdb_id(i.title_id),
        m.title, i.kind, i.provider_id, w.name, i.left_at is null
    from catalog.offer_intervals i
    join catalog.titles m using (title_id)
    left join catalog.watch_providers w using (provider_id)
    where i.country = upper(offers_that_came.country) and not i.is_opening
        and i.first_seen >= offers_that_came.since::timestamp at time zone 'utc'
    order by i.first_seen, m.title, i.title_id, i.kind, i.provider_id
$$;

-- Returns the offers in a country that left a provider since a day (UTC), as far as fetches of the titles showed it.
create or replace function catalog.offers_that_left(country text, since date)
returns table (
    "left" date, title_id bigint, media_type text, tmdb_id bigint, title text, kind text, provider_id bigint, provider text
)
language sql stable
as $$
    select o."left", o.title_id, catalog.media_type(o.title_id), catalog.tmdb_id(o.title_id), m.title, o.kind, o.provider_id,
        w.name
    from catalog.offers o
    join catalog.titles m using (title_id)
    left join catalog.watch_providers w using (provider_id)
    where o.country = upper(offers_that_left.country) and o."left" >= offers_that_left.since
    order by o."left", m.title, o.title_id, o.kind, o.provider_id
$$;
