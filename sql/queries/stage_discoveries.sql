-- Run by tmdb_discoveries before the listed films are copied in.
create temp table incoming_discoveries (
    tmdb_id bigint primary key, vote_count integer, vote_average double precision, release_date date,
    original_language text
) on commit drop
