"""Measurements of the active embedding set: recall, latency and similarities.

sql/search/set_quality.sql runs the searches, `search.calibration` has the arithmetic on similarities, and
`search.checks` evaluates the measurements.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from statistics import mean
from typing import NamedTuple, TypedDict

import dagster as dg
import numpy as np
import numpy.typing as npt

from movie_assets.database.database import Database
from movie_assets.embeddings.sets import ActiveSet
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of
from movie_assets.search.calibration import QUANTILES, limits_of, pair_similarities, quantiles_of
from movie_assets.search.movie_vectors import GoldenRank
from movie_assets.search.nearest_films import components_of, dimensions_of
from movie_assets.search.vector_index import MIN_RECALL, tune_searches

METHOD = "quality-v2"  # raised when measurements can no longer be compared with those before
UNFILTERED = "nothing"  # name of the filter that all films pass
QUESTIONS = ", questions"  # behind the filter's name when questions were searched for, not films
NEIGHBOURS = 100  # random films whose ten nearest are searched, and as many films of collections
SAMPLE = 1000  # films whose pairs are compared
DECIMALS = 4  # of figures in the web UI


class SearchSummary(TypedDict):
    """Searches with one filter, for films or for questions: recall@10, median milliseconds with and without index."""

    filter: str
    searches: int
    recall_at_10: float
    ms: float
    exact_ms: float


class MeasuredContent(NamedTuple):
    """The number of vectors of a set, and a name that changes with anything that a measurement depends on."""

    vectors: int
    content: str


class FilterMeasurement(NamedTuple):
    """Searches with one filter, for films or for questions (short texts), with median times."""

    says: str
    is_question: bool
    searches: int
    recall_at_10: float
    ms: float
    exact_ms: float


class NeighbourMeasurement(NamedTuple):
    """A search for the films nearest to a random film, or to one in a collection.

    `siblings` counts the other films of the collection, None for a random film; `similarities` are those of the ten
    nearest films, descending.
    """

    is_random: bool
    milliseconds: float
    siblings: int | None
    siblings_found: int
    similarities: list[float] | None


class VectorSample(NamedTuple):
    """A film's vector as `halfvec_send` has it, or as `sparsevec_send` (`is_short`)."""

    embedding: bytes
    is_short: bool


class QualityMeasurement(NamedTuple):
    """A measurement of an embedding set."""

    measurement_id: int
    set_id: int
    measured_at: datetime
    content: str
    vectors: int
    recall_at_10: float
    least_filtered_recall_at_10: float | None
    p50_ms: float
    p95_ms: float
    exact_ms: float
    collection_films: int
    collection_recall_at_10: float | None
    golden_pairs: int
    golden_pairs_far: int
    random_similarity: list[float] | None
    nearest_similarity: list[float] | None
    tenth_similarity: list[float] | None
    loose: float | None
    related: float | None
    very_similar: float | None
    searches: list[SearchSummary]
    places: list[tuple[str, str, int, int]]  # both titles, rank, highest allowed rank


@dg.asset(group_name="search", kinds={"python", "postgres"}, deps=["movie_vectors"])
@logged(checked="vectors")
def search_quality(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]
) -> dg.MaterializeResult[None]:
    """A measurement of the active embedding set: recall, latency, similarities, and films that belong together.

    The set is measured again when a vector, a column that filters use, the index, a collection or a golden pair
    changed; otherwise the last measurement is reported again.
    """
    active = database.fetch_optional(ActiveSet, "active_set")
    state = database.fetch_one(MeasuredContent, "quality_content", set_id=active.set_id) if active else None
    if active is None or state is None or not state.vectors:
        context.log.info("there is nothing to search yet")
        return dg.MaterializeResult(metadata={"vectors": 0, "is_new": False})
    content = f"{METHOD} {state.content}"
    last = database.fetch_optional(QualityMeasurement, "quality_history", measurements=1)
    is_new = last is None or last.content != content
    if last is None or is_new:
        searches = _compare(database, active.set_id)
        if min(s["recall_at_10"] for s in searches) < MIN_RECALL:
            tune_searches(context.log, database, active.set_id, anew=False)
            searches = _compare(database, active.set_id)
            state = database.fetch_one(MeasuredContent, "quality_content", set_id=active.set_id)
        database.execute(
            "record_quality", set_id=active.set_id, measured_at=run_time_of(context.run),
            content=f"{METHOD} {state.content}", vectors=state.vectors, **_measure(database, active.set_id, searches),
        )  # fmt: skip
        last = database.fetch_one(QualityMeasurement, "quality_history", measurements=1)
    else:
        context.log.info(
            f"nothing that searches depend on has changed since {last.measured_at:%Y-%m-%d}; the measurement of that "
            "day is still valid"
        )
    return dg.MaterializeResult(metadata={"is_new": is_new, **_metadata(last)})


def _measure(database: Database, set_id: int, searches: Sequence[SearchSummary]) -> dict[str, object]:
    """Measure the rest of a set; returns values by the names of the columns of pipeline.search_quality."""
    filtered = [search["recall_at_10"] for search in searches if not search["filter"].startswith(UNFILTERED)]
    neighbours = database.fetch(NeighbourMeasurement, "measure_neighbours", set_id=set_id, samples=NEIGHBOURS)
    ranks = database.fetch(GoldenRank, "golden_ranks", set_id=set_id)
    together = [each.siblings_found / min(10, each.siblings) for each in neighbours if each.siblings]
    milliseconds = [each.milliseconds for each in neighbours]
    return {
        "recall_at_10": searches[0]["recall_at_10"],
        "least_filtered_recall_at_10": min(filtered, default=None),
        "p50_ms": float(np.quantile(milliseconds, 0.5)),
        "p95_ms": float(np.quantile(milliseconds, 0.95)),
        "exact_ms": searches[0]["exact_ms"],
        "collection_films": len(together),
        "collection_recall_at_10": mean(together) if together else None,
        "golden_pairs": len(ranks),
        "golden_pairs_far": sum(rank.place > rank.within for rank in ranks),
        "searches": json.dumps(searches),
        "places": json.dumps([[rank.title, rank.other_title, rank.place, rank.within] for rank in ranks]),
        **_calibrate(
            database, set_id, [each.similarities for each in neighbours if each.is_random and each.similarities]
        ),
    }


def _compare(database: Database, set_id: int) -> list[SearchSummary]:
    """Compare searches through the index with searches that compare all vectors; the first are without a filter."""
    return [
        {
            "filter": f"{measured.says}{QUESTIONS if measured.is_question else ''}",
            "searches": measured.searches,
            "recall_at_10": measured.recall_at_10,
            "ms": measured.ms,
            "exact_ms": measured.exact_ms,
        }
        for measured in database.execute_returning(FilterMeasurement, "measure_filters", set_id=set_id)
    ]


def _calibrate(database: Database, set_id: int, neighbours: Sequence[Sequence[float]]) -> dict[str, object]:
    """Return quantiles of similarities and limits derived from them, by their columns.

    `neighbours` has the similarities of the ten nearest films, descending, for each of some random films.
    """
    sample = database.fetch(VectorSample, "sample_vectors", set_id=set_id, samples=SAMPLE)
    random = pair_similarities(_unit_vectors(sample))
    nearest = np.array([similarities[0] for similarities in neighbours])
    tenth = np.array([similarities[-1] for similarities in neighbours])
    limits = limits_of(random, nearest, tenth)
    return {
        "random_similarity": quantiles_of(random),
        "nearest_similarity": quantiles_of(nearest),
        "tenth_similarity": quantiles_of(tenth),
        "loose": limits.loose,
        "related": limits.related,
        "very_similar": limits.very_similar,
    }


def _unit_vectors(sample: Sequence[VectorSample]) -> npt.NDArray[np.float32]:
    """Return the vectors of a sample, none of which is a zero vector, as rows of length 1."""
    vectors = np.zeros((len(sample), dimensions_of(*sample[0]) if sample else 0), np.float32)
    for n, row in enumerate(sample):
        places, values = components_of(*row)
        vectors[n, places] = values
        vectors[n] /= np.linalg.norm(vectors[n])
    return vectors


def _metadata(measurement: QualityMeasurement) -> dict[str, dg.MetadataValue | str | float]:
    """Return a measurement as metadata, without the figures that could not be measured."""
    figures: dict[str, float | None] = {
        name: getattr(measurement, name)
        for name in (
            "vectors", "recall_at_10", "least_filtered_recall_at_10", "p50_ms", "p95_ms", "exact_ms",
            "collection_films", "collection_recall_at_10", "golden_pairs", "golden_pairs_far",
            "loose", "related", "very_similar",
        )
    }  # fmt: skip
    searches = [
        (s["filter"], s["searches"], round(s["recall_at_10"], 3), round(s["ms"], 1), round(s["exact_ms"], 1))
        for s in measurement.searches
    ]
    similarities = zip(
        measurement.random_similarity or (), measurement.nearest_similarity or (), measurement.tenth_similarity or (),
        strict=True,
    )  # fmt: skip
    quantiles = [(f"{share:.1%}", *values) for share, values in zip(QUANTILES, similarities, strict=False)]
    return {
        "measured_at": measurement.measured_at.isoformat(),
        **{name: round(value, DECIMALS) for name, value in figures.items() if value is not None},
        "searches": shown_table(("filter", "searches", "recall@10", "ms", "ms without index"), searches),
        "similarities": shown_table(("share below", "pairs at random", "nearest", "tenth nearest"), quantiles),
    }
