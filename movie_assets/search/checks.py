"""The checks of search_quality: its newest measurement against what must be, and against the set's own history.

A latency or a similarity has no right value: what is unusual for this set on this machine is told as a warning.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.search.calibration import QUANTILES, usual
from movie_assets.search.search_quality import search_quality

MIN_RECALL = 0.95
HISTORY = 14  # measurements that "usual" is made of
ALWAYS_FAST_MS = 25.0  # slower than usual does not matter below this
SLOWER_BY = 3.0
COLLECTIONS_MAY_LOSE = 0.1
SIMILARITIES_MAY_MOVE_BY = 0.05
MEDIAN = QUANTILES.index(0.5)
WARN = dg.AssetCheckSeverity.WARN
NOTHING = "there is nothing to search yet"


@dg.asset_check(asset=search_quality)
def searches_find_the_nearest(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Searches find what comparing all vectors finds: recall@10 of at least 0.95, with each filter and without."""
    newest, _ = _history(database)
    if newest is None:
        return dg.AssetCheckResult(passed=True, description=NOTHING)
    bad = [f"{s['filter']}: {s['recall_at_10']:.2f}" for s in newest.searches if s["recall_at_10"] < MIN_RECALL]
    return dg.AssetCheckResult(
        passed=not bad,
        description=f"recall@10 by filter, at least {MIN_RECALL}: {'; '.join(bad)}. Build the index anew"
        if bad
        else None,
        metadata={
            "recall_at_10": newest.recall_at_10,
            "least_with_a_filter": min(s["recall_at_10"] for s in newest.searches),
            "searches": sum(s["searches"] for s in newest.searches),
        },
    )


@dg.asset_check(asset=search_quality)
def searches_are_as_fast_as_usual(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """19 of 20 searches end within 25 ms, or within three times what is usual for the set."""
    newest, before = _history(database)
    if newest is None:
        return dg.AssetCheckResult(passed=True, severity=WARN, description=NOTHING)
    expected = usual([row.p95_ms for row in before])
    passed = newest.p95_ms < ALWAYS_FAST_MS or expected is None or newest.p95_ms <= SLOWER_BY * expected
    return dg.AssetCheckResult(
        passed=passed,
        severity=WARN,
        description=None if passed else f"19 of 20 end within {newest.p95_ms:.0f} ms; usual are {expected:.0f} ms",
        metadata={"p95_ms": newest.p95_ms, **_if_known("usual_ms", expected)},
    )


@dg.asset_check(asset=search_quality)
def collections_stay_together(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Films of one collection are among each other's ten nearest, not much less often than is usual for the set."""
    newest, before = _history(database)
    found = newest.collection_recall_at_10 if newest is not None else None
    if found is None:
        return dg.AssetCheckResult(passed=True, severity=WARN, description="no collection has two films here")
    expected = usual([row.collection_recall_at_10 for row in before])
    passed = expected is None or found >= expected - COLLECTIONS_MAY_LOSE
    return dg.AssetCheckResult(
        passed=passed,
        severity=WARN,
        description=None if passed else f"a share of {found:.2f}; usual is {expected:.2f}",
        metadata={"recall_at_10": found, **_if_known("usual", expected)},
    )


@dg.asset_check(asset=search_quality)
def golden_pairs_are_near(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Films that belong together (pipeline.golden_pairs) are among each other's nearest."""
    newest, _ = _history(database)
    places = newest.places if newest is not None else []
    far = [
        f"{title} and {other}: place {place:,}, not within {within}"
        for title, other, place, within in places
        if place > within
    ]
    told = "\n".join(f"| {title} | {other} | {place:,} | {within} |" for title, other, place, within in places)
    return dg.AssetCheckResult(
        passed=not far,
        severity=WARN,
        description="; ".join(far) or None,
        metadata={
            "pairs": len(places),
            "places": dg.MetadataValue.md(f"| film | other | place | within |\n|---|---|--:|--:|\n{told}"),
        },
    )


@dg.asset_check(asset=search_quality)
def similarities_mean_what_they_meant(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Similarities of random films and of nearest films have not moved, so that thresholds keep their meaning."""
    newest, before = _history(database)
    moved = {}
    for name in ("random_similarity", "nearest_similarity"):
        now = _median_of(newest, name) if newest is not None else None
        expected = usual([_median_of(row, name) for row in before])
        if now is not None and expected is not None:
            moved[name] = now - expected
    far = [f"{name} moved by {by:+.3f}" for name, by in moved.items() if abs(by) > SIMILARITIES_MAY_MOVE_BY]
    return dg.AssetCheckResult(
        passed=not far,
        severity=WARN,
        description=f"{'; '.join(far)}, at most {SIMILARITIES_MAY_MOVE_BY} expected: see catalog.similarity_thresholds"
        if far
        else None,
        metadata=moved,
    )


CHECKS = (
    searches_find_the_nearest,
    searches_are_as_fast_as_usual,
    collections_stay_together,
    golden_pairs_are_near,
    similarities_mean_what_they_meant,
)


def _history(database: Database) -> tuple[sa.Row[Any] | None, Sequence[sa.Row[Any]]]:
    """The newest measurement of the active set, and those before it."""
    found = database.rows("quality_history", measurements=HISTORY + 1)
    return (found[0], found[1:]) if found else (None, [])


def _median_of(row: sa.Row[Any], name: str) -> float | None:
    quantiles = getattr(row, name)
    return quantiles[MEDIAN] if quantiles else None


def _if_known(name: str, value: float | None) -> dict[str, float]:
    return {} if value is None else {name: value}
