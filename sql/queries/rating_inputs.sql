-- Run by rating_aggregates before it reads them: names what scores are computed from, by the sums of the rows' hashes.
select concat_ws(
    '-', cast(:methods as text),
    (select sum(hash_record_extended(m, 0)::numeric) from (
        select tmdb_id, genres, release_year, original_language, countries, collection_id from catalog.movies) m),
    (select sum(hash_record_extended(s, 0)::numeric) from (
        select tmdb_id, vote_average, vote_count from catalog.movie_stats) s),
    (select sum(hash_record_extended(r, 0)::numeric) from (
        select tmdb_id, source, value, votes from catalog.external_ratings) r),
    (select sum(hash_record_extended(c, 0)::numeric) from (
        select tmdb_id, person_id, billing from catalog.movie_cast) c),
    (select sum(hash_record_extended(d, 0)::numeric) from (
        select tmdb_id, person_id from catalog.movie_crew where job = 'Director') d)
) as name
