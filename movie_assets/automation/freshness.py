"""How old what an asset last made may be, in one place; the web UI shows it, and sensors can tell of it.

Batches have none: Dagster would count their newest one only. Their ages are checks, from SQL (`movie_details`).
What is made of watch histories has none: it is made when somebody watched something.
"""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg


def _within(*, warn_hours: int, fail_hours: int) -> dg.FreshnessPolicy:
    return dg.FreshnessPolicy.time_window(
        warn_window=timedelta(hours=warn_hours), fail_window=timedelta(hours=fail_hours)
    )


DAILY = _within(warn_hours=26, fail_hours=50)  # a day and the time that it takes, and one day missed
PUBLISHED = _within(warn_hours=50, fail_hours=74)  # votes move daily, but a day without a change publishes nothing
WEEKLY = _within(warn_hours=8 * 24, fail_hours=31 * 24)
MONTHLY = _within(warn_hours=33 * 24, fail_hours=65 * 24)
HOURLY = _within(warn_hours=3, fail_hours=6)
FRESHNESS = {
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


def with_freshness(assets: Sequence[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """The assets with their policies."""
    return [asset.map_asset_specs(_with_policy) for asset in assets]


def _with_policy(spec: dg.AssetSpec) -> dg.AssetSpec:
    policy = FRESHNESS.get(spec.key.to_user_string())
    return spec if policy is None else dg.apply_freshness_policy(spec, policy)
