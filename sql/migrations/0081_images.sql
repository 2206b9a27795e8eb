-- Migration: images of titles by kind and language, and the sizes that TMDB has of them. The images of a title go with the record
-- of their fetch, and that with the title.

create table pipeline.title_image_fetches (
    title_id bigint primary key references catalog.titles on delete cascade,
    languages text[] not null default '{}',
    fetched_at timestamptz,
    attempts integer not null default 0,
    next_attempt_at timestamptz,
    last_error text
);
create index on pipeline.title_image_fetches (fetched_at);
create table catalog.title_images (
    title_id bigint not null references pipeline.title_image_fetches on delete cascade,
    kind text not null,
    path text not null,
    language text,
    position smallint not null,
    width integer,
    height integer,
    vote_average double precision,
    vote_count integer,
    primary key (title_id, kind, path)
);

-- TMDB's address and sizes as of November 2026; tmdb_configuration reads them daily.
create table catalog.image_sizes (
    kind text not null,
    size text not null,
    position smallint not null,
    base_url text not null,
    read_at timestamptz,
    primary key (kind, size)
);
insert into catalog.image_sizes (kind, size, position, base_url)
select s.kind, z.size, z.position, 'https://image.tmdb.org/t/p/'
from (values
    ('backdrop', '{w300,w780,w1280,original}'::text[]),
    ('logo', '{w45,w92,w154,w185,w300,w500,original}'),
    ('poster', '{w92,w154,w185,w342,w500,w780,original}'),
    ('profile', '{w45,w185,h632,original}'),
    ('still', '{w92,w185,w300,original}')
) as s (kind, sizes)
cross join lateral unnest(s.sizes) with ordinality as z (size, position);
create index on catalog.image_sizes (size);
