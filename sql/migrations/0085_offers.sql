-- Migration: what could be watched where, and since when: the intervals in which a provider had a title.

-- The regions whose offers were observed when the title was fetched last: the first observation of a region is no arrival.
create table pipeline.observed_offers (
    title_id bigint primary key references catalog.titles on delete cascade,
    regions text[] not null
);

-- missed_at and last_seen are null while the last fetch of the title had the offer. left_at is the first miss of an interval that
-- was missed twice in a row.
create table catalog.offer_intervals (
    title_id bigint not null references catalog.titles on delete cascade,
    country text not null,
    kind text not null,
    provider_id bigint not null,
    first_seen timestamptz not null,
    is_opening boolean not null,
    last_seen timestamptz,
    missed_at timestamptz,
    left_at timestamptz,
    primary key (title_id, country, kind, provider_id, first_seen)
);
create index on catalog.offer_intervals (country, first_seen) where not is_opening;
create index on catalog.offer_intervals (country, left_at) where left_at is not null;
