"""The assets and checks of ratings."""

from movie_assets.ratings import rating_aggregates
from movie_assets.ratings.rating_sources import csv_ratings, imdb_ratings, movielens_ratings

ASSETS = (
    imdb_ratings,  # ratings of other sources, where a setting names a file
    movielens_ratings,
    csv_ratings,
    rating_aggregates.rating_aggregates,  # scores from all sources
)
CHECKS = (rating_aggregates.totals_reconcile, rating_aggregates.scores_are_within_bounds)
