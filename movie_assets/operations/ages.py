"""How old what an asset last made may be, in one place.

Dagster's policies of freshness are made from it (`orchestration.freshness`), and health judges the last run of each
step by it. Batches have none here: their ages are a question to SQL (`pipeline.ages_at`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Allowed:
    """After how long an asset is late, and after how long that is an error."""

    warn: timedelta
    fail: timedelta


def _hours(warn: int, fail: int) -> Allowed:
    return Allowed(timedelta(hours=warn), timedelta(hours=fail))


# 08:30 one day, and the next at 12:30, until when a late export is waited for, with time for a failed try; another day
DAILY = _hours(30, 54)
PUBLISHED = _hours(50, 74)  # votes move daily, but a day without a change publishes nothing
WEEKLY = _hours(8 * 24, 31 * 24)
MONTHLY = _hours(33 * 24, 65 * 24)
HOURLY = _hours(3, 6)
ALLOWED: Mapping[str, Allowed] = {
    "tmdb_export": DAILY,
    "movie_ids": DAILY,
    "tmdb_changes": DAILY,
    "tmdb_discoveries": DAILY,
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
