"""The assets and checks of ratings, and when other sources than TMDB are read."""

from movie_assets.config.settings import Settings
from movie_assets.ratings import omdb_checks, rating_aggregates
from movie_assets.ratings.omdb_ratings import omdb_ratings
from movie_assets.ratings.rating_sources import csv_ratings, imdb_ratings, movielens_ratings
from movie_assets.runs.upkeep import Upkeep, daily

ASSETS = (
    imdb_ratings,  # ratings of other sources, where a setting names a file
    movielens_ratings,
    csv_ratings,
    omdb_ratings,
    rating_aggregates.rating_aggregates,  # scores from all sources
)
CHECKS = (
    omdb_checks.omdb_responses_can_be_read,
    omdb_checks.the_quota_of_omdb_lasts,
    rating_aggregates.totals_reconcile,
    rating_aggregates.scores_are_within_bounds,
)
UPKEEP = (
    Upkeep(
        job="read_ratings",
        assets=[imdb_ratings, movielens_ratings, csv_ratings, omdb_ratings],
        description="Reads the ratings of IMDb, MovieLens or your own CSV from the files that the settings name, and "
        "those of OMDb.",
        schedule="read_ratings_at_1030",
        cron="30 10-23 * * *",  # the day's new films are mostly there by half past ten
        since=daily,
        schedule_description="Launches read_ratings once a day from 10:30 UTC on, if a setting names a file of "
        "ratings or the key of OMDb.",
        switched_on=lambda: Settings.from_env().rating_assets,
        switched_off="no other source than TMDB is on: set MOVIE_ASSETS_IMDB_RATINGS, OMDB_API_KEY or another one",
    ),
)
