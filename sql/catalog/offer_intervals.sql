-- Applied after the migrations whenever it changes: how the offers of a response continue, begin and end intervals.

-- Run by store_details for each chunk, after the rows around titles: compares the offers in `regions` of titles that were fetched
-- with the open intervals. Providers flap, so an interval ends with its second miss in a row, as of the first one. A response
-- without its part of offers, and a call that failed, are no misses. `films` and `times` have the fetches before this one.
create or replace function pipeline.store_offers(moment timestamptz, regions text[], films bigint[], times timestamptz[])
returns void
language plpgsql
as $$
begin
    with fetched as materialized (
        select f.title_id, o.regions
        from incoming_films f join catalog.titles using (title_id)
        left join pipeline.observed_offers o using (title_id)
        where f.body is not null and f.has_offers
    ), present as materialized (
        select w.title_id, w.country, w.kind, w.provider_id
        from catalog.title_watch_providers w
        where w.title_id in (select f.title_id from fetched f) and w.country = any (store_offers.regions)
    ), known as materialized (
        select i.* from catalog.offer_intervals i
        where i.title_id in (select f.title_id from fetched f) and i.left_at is null
    ), unobserved as (
        delete from catalog.offer_intervals i using known k
        where (i.title_id, i.country, i.kind, i.provider_id, i.first_seen)
                = (k.title_id, k.country, k.kind, k.provider_id, k.first_seen)
            and k.country <> all (store_offers.regions)
    ), seen_again as (
        update catalog.offer_intervals i set missed_at = null, last_seen = null
        from known k join present p using (title_id, country, kind, provider_id)
        where (i.title_id, i.country, i.kind, i.provider_id, i.first_seen)
                = (k.title_id, k.country, k.kind, k.provider_id, k.first_seen)
            and k.missed_at is not null
    ), missed as (
        update catalog.offer_intervals i
        set left_at = i.missed_at, missed_at = coalesce(i.missed_at, moment),
            last_seen = coalesce(i.last_seen, t.fetched_at, i.first_seen)
        from known k left join unnest(films, times) as t (title_id, fetched_at) using (title_id)
        where (i.title_id, i.country, i.kind, i.provider_id, i.first_seen)
                = (k.title_id, k.country, k.kind, k.provider_id, k.first_seen)
            and k.country = any (store_offers.regions)
            and not exists (
                select from present p
                where (p.title_id, p.country, p.kind, p.provider_id) = (k.title_id, k.country, k.kind, k.provider_id))
    ), came as (
        insert into catalog.offer_intervals (title_id, country, kind, provider_id, first_seen, is_opening)
        select p.title_id, p.country, p.kind, p.provider_id, moment, coalesce(p.country <> all (f.regions), true)
        from present p join fetched f using (title_id)
        where not exists (
            select from known k
            where (p.title_id, p.country, p.kind, p.provider_id) = (k.title_id, k.country, k.kind, k.provider_id))
        on conflict (title_id, country, kind, provider_id, first_seen) do update  -- fetched again as of the same time
            set left_at = null, missed_at = null, last_seen = null
    )
    insert into pipeline.observed_offers as o (title_id, regions)
    select f.title_id, store_offers.regions from fetched f where f.regions is distinct from store_offers.regions
    on conflict (title_id) do update set regions = excluded.regions;
end
$$;
