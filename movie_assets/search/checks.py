"""The checks of search_quality, which evaluate its newest measurement by fixed limits and by the history of the set.

No value of a latency or a similarity is right in itself. A value that is unusual for the set on this machine is
reported as a warning.
"""

from collections.abc import Sequence

import dagster as dg

from movie_assets.database.database import Database
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.search.calibration import QUANTILES, usual
from movie_assets.search.search_quality import QualityMeasurement, search_quality
from movie_assets.search.vector_index import MIN_RECALL, SearchTuning

HISTORY = 14  # measurements from which the usual value is computed
ALWAYS_FAST_MS = 25.0  # faster searches always pass
MAX_SLOWDOWN = 3.0  # times the usual latency
MAX_COLLECTION_LOSS = 0.1
MAX_SIMILARITY_CHANGE = 0.05
MEDIAN = QUANTILES.index(0.5)
WARN = dg.AssetCheckSeverity.WARN
NOTHING = "there is nothing to search yet"


@dg.asset_check(asset=search_quality)
def searches_find_the_nearest(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Searches find what comparing all vectors finds: recall@10 is at least 0.99, with each filter and without.

    Films and questions are searched for. When too few are found, searches are made to visit more films and the index
    is replaced if that is not enough; the check says what was changed, with the figures before and after.
    """
    newest, _ = _history(database)
    if newest is None:
        return dg.AssetCheckResult(passed=True, description=NOTHING)
    set_tuning = database.fetch_one(SearchTuning, "search_tuning", set_id=newest.set_id)
    too_low = [f"{s['filter']}: {s['recall_at_10']:.3f}" for s in newest.searches if s["recall_at_10"] < MIN_RECALL]
    problem = f"recall@10 is below {MIN_RECALL} with these filters: {'; '.join(too_low)}"
    return dg.AssetCheckResult(
        passed=not too_low,
        description="; ".join(filter(None, [problem if too_low else None, set_tuning.tuning])) or None,
        metadata={
            "recall_at_10": newest.recall_at_10,
            "least_with_a_filter": min(s["recall_at_10"] for s in newest.searches),
            "searches": sum(s["searches"] for s in newest.searches),
            **_if_known("visited_films", set_tuning.ef_search),
        },
    )


@dg.asset_check(asset=search_quality)
def searches_are_as_fast_as_usual(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """19 of 20 searches end within 25 ms, or within three times the usual time of the set."""
    newest, before = _history(database)
    if newest is None:
        return dg.AssetCheckResult(passed=True, severity=WARN, description=NOTHING)
    expected = usual([row.p95_ms for row in before])
    passed = newest.p95_ms < ALWAYS_FAST_MS or expected is None or newest.p95_ms <= MAX_SLOWDOWN * expected
    return dg.AssetCheckResult(
        passed=passed,
        severity=WARN,
        description=None
        if passed
        else f"19 of 20 searches end within {newest.p95_ms:.0f} ms; usual are {expected:.0f} ms",
        metadata={"p95_ms": newest.p95_ms, **_if_known("usual_ms", expected)},
    )


@dg.asset_check(asset=search_quality)
def collections_stay_together(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Films of one collection are among each other's ten nearest about as often as is usual for the set."""
    newest, before = _history(database)
    recall = newest.collection_recall_at_10 if newest is not None else None
    if recall is None:
        return dg.AssetCheckResult(passed=True, severity=WARN, description="no collection has two films here")
    expected = usual([row.collection_recall_at_10 for row in before])
    passed = expected is None or recall >= expected - MAX_COLLECTION_LOSS
    return dg.AssetCheckResult(
        passed=passed,
        severity=WARN,
        description=None if passed else f"a share of {recall:.2f} is found; usual is {expected:.2f}",
        metadata={"recall_at_10": recall, **_if_known("usual", expected)},
    )


@dg.asset_check(asset=search_quality)
def golden_pairs_are_near(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Films that belong together (pipeline.golden_pairs) are among each other's nearest."""
    newest, _ = _history(database)
    places = newest.places if newest is not None else []
    distant = [
        f"{title} and {other}: place {place:,}, not within {within}"
        for title, other, place, within in places
        if place > within
    ]
    return dg.AssetCheckResult(
        passed=not distant,
        severity=WARN,
        description="; ".join(distant) or None,
        metadata={
            "pairs": len(places),
            "places": shown_table(("film", "other", "place", "within"), places),
        },
    )


@dg.asset_check(asset=search_quality)
def similarities_mean_what_they_meant(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Similarities of random films and of nearest films have not changed, so that limits keep their meaning."""
    newest, before = _history(database)
    changes: dict[str, float] = {}
    if newest is not None:
        medians = {
            "random_similarity": [_median_of(each.random_similarity) for each in (newest, *before)],
            "nearest_similarity": [_median_of(each.nearest_similarity) for each in (newest, *before)],
        }
        for name, (current, *earlier) in medians.items():
            expected = usual(earlier)
            if current is not None and expected is not None:
                changes[name] = current - expected
    large = [f"{name} changed by {by:+.3f}" for name, by in changes.items() if abs(by) > MAX_SIMILARITY_CHANGE]
    return dg.AssetCheckResult(
        passed=not large,
        severity=WARN,
        description=f"{'; '.join(large)}, at most {MAX_SIMILARITY_CHANGE} expected: see catalog.similarity_thresholds"
        if large
        else None,
        metadata=changes,
    )


CHECKS = (
    searches_find_the_nearest,
    searches_are_as_fast_as_usual,
    collections_stay_together,
    golden_pairs_are_near,
    similarities_mean_what_they_meant,
)


def _history(database: Database) -> tuple[QualityMeasurement | None, Sequence[QualityMeasurement]]:
    """Return the newest measurement of the active set, if there is one, and those before it."""
    measurements = database.fetch(QualityMeasurement, "quality_history", measurements=HISTORY + 1)
    return (measurements[0], measurements[1:]) if measurements else (None, [])


def _median_of(quantiles: Sequence[float] | None) -> float | None:
    return quantiles[MEDIAN] if quantiles else None


def _if_known(name: str, value: float | None) -> dict[str, float]:
    return {} if value is None else {name: value}
