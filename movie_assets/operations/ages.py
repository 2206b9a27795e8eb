"""The time within which each asset has to be materialized again.

Dagster's freshness policies (`orchestration.freshness`) and the health of steps use it. Assets with batches are not
here: `pipeline.ages_at` computes the ages of their films in SQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from movie_assets.catalog.media_assets import ALL


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
    **{name: DAILY for of in ALL for name in of.of_days},
    "tmdb_lists": DAILY,  # a check has the age of each list
    "movie_vectors": PUBLISHED,
    "search_quality": PUBLISHED,
    "similar_movies": PUBLISHED,
    "search_documents": PUBLISHED,
    "rating_aggregates": PUBLISHED,
    "imdb_ratings": PUBLISHED,
    "omdb_ratings": PUBLISHED,
    "movielens_ratings": WEEKLY,
    "csv_ratings": WEEKLY,
    "reconciliation": WEEKLY,
    "retention": MONTHLY,
    "events": DAILY,
    "exports": DAILY,
    "tmdb_configuration": DAILY,
    "title_images": DAILY,
    "health": HOURLY,
}
