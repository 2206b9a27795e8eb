-- Run by the assets that read files of ratings, before COPY fills it.
create temporary table incoming_ratings (
    line bigint not null,
    tmdb_id bigint not null,
    source text not null,
    scale_min double precision not null,
    scale_max double precision not null,
    raw_value double precision not null,
    votes bigint not null,
    seen_at timestamptz not null
) on commit drop
