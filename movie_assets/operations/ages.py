"""The time within which each asset has to be materialized again.

Dagster's freshness policies (`orchestration.freshness`) and the health of steps use it. Assets with batches are not
here: `pipeline.ages_at` computes the ages of their films in SQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class AllowedAge:
    """The times after which an old asset is a warning and an error."""

    warn: timedelta
    fail: timedelta


def _hours(warn: int, fail: int) -> AllowedAge:
    return AllowedAge(timedelta(hours=warn), timedelta(hours=fail))


# From 08:30 on one day until 12:30 on the next, when a late export is no longer waited for, and two hours for a failed
# attempt; an error after another day.
DAILY = _hours(30, 54)
PUBLISHED = _hours(50, 74)  # votes change daily, but a day without a change publishes nothing
WEEKLY = _hours(8 * 24, 31 * 24)
MONTHLY = _hours(33 * 24, 65 * 24)
HOURLY = _hours(3, 6)
ALLOWED_AGES: Mapping[str, AllowedAge] = {
    "tmdb_export": DAILY,
    "movie_ids": DAILY,
    "tmdb_changes": DAILY,
    "tmdb_discoveries": DAILY,
    "series_export": DAILY,
    "series_ids": DAILY,
    "series_changes": DAILY,
    "series_discoveries": DAILY,
    "movie_vectors": PUBLISHED,
    "search_quality": PUBLISHED,
    "similar_movies": PUBLISHED,
    "search_documents": PUBLISHED,
    "rating_aggregates": PUBLISHED,
    "imdb_ratings": PUBLISHED,
    "movielens_ratings": WEEKLY,
    "csv_ratings": WEEKLY,
    "reconciliation": WEEKLY,
    "retention": MONTHLY,
    "health": HOURLY,
}
