-- Run by movie_details' completeness check: of the films that are known well enough for TMDB to have their fields, how
-- many have each. Films that were asked for whatever the profiles say do not count.
select
    count(*)::integer as films,
    count(nullif(title, ''))::integer as title,
    count(release_year)::integer as release_year,
    count(*) filter (where cardinality(genres) > 0)::integer as genres,
    count(overview)::integer as overview,
    count(original_language)::integer as original_language,
    count(runtime_minutes)::integer as runtime_minutes,
    count(*) filter (where cardinality(directors) > 0)::integer as directors,
    count(*) filter (where cardinality(leading_cast) > 0)::integer as leading_cast,
    count(*) filter (where cardinality(keywords) > 0)::integer as keywords,
    count(certification)::integer as certification,
    count(imdb_id)::integer as imdb_id,
    count(poster_path)::integer as poster_path
from catalog.movies m
join catalog.movie_stats s using (tmdb_id)
where s.vote_count >= :min_votes
  and not exists (select from pipeline.requested_ids r where r.tmdb_id = m.tmdb_id and r.keep)
