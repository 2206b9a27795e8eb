-- Run before the films that a file names are copied in.
create temp table staged_names (
    no integer, name text, title text, year smallint, imdb_id text, tmdb_id bigint, rivals smallint
) on commit drop
