-- Run by rating_aggregates' checks: the stored totals beside those of the films themselves.
select
    (select count(*) from catalog.rating_aggregates where scope = 'film')::integer as films_scored,
    (select count(*) from catalog.movie_stats where vote_count > 0)::integer as films_with_votes,
    (select coalesce(sum(votes), 0) from catalog.rating_aggregates where scope = 'film')::bigint as votes_scored,
    (select coalesce(sum(vote_count), 0) from catalog.movie_stats)::bigint as votes,
    (select coalesce(sum(films), 0) from catalog.rating_aggregates where scope = 'language')::integer as films_by_language,
    (select count(*) from catalog.rating_aggregates
     where not (score_low between 0 and score and score_high between score and 100))::integer as out_of_bounds
