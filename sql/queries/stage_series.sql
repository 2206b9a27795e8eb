-- Run before the rows on series of a person's files are copied in.
create temp table staged_series (
    person text, part text, key text, kind text, title text, year smallint, imdb_id text, tmdb_id bigint, tvdb_id bigint,
    season integer, episode integer, is_wanted boolean, rating real, seen_at timestamptz, line integer
) on commit drop
