-- Run before a chunk of details is copied in; one column for each field of core.films.Film, and what follows from them.
create temp table if not exists incoming_films (
    tmdb_id bigint, imdb_id text, title text, original_title text, original_language text,
    release_date date, runtime_minutes smallint, status text, tagline text, overview text,
    genres text[], keywords text[], directors text[], leading_cast text[], countries text[],
    collection_id bigint, collection text, certification text, budget bigint, revenue bigint,
    poster_path text, backdrop_path text, popularity double precision, vote_average double precision,
    vote_count integer, adult boolean, video boolean, softcore boolean, body jsonb, embedding_text text,
    text_hash text, facts jsonb, facts_hash text
) on commit delete rows
