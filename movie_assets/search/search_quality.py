"""Stage 6: how well the active embedding set is searched, measured when something changed, with pictures.

What is measured is in sql/search/set_quality.sql; what similarities mean, in `search.calibration`; what is good
enough, in `quality_checks`.
"""

import json
from statistics import mean, median
from typing import Any

import dagster as dg
import numpy as np
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of
from movie_assets.search.calibration import QUANTILES, pair_similarities, principal_plane, profiles_of, quantiles_of
from movie_assets.search.charts import histogram_chart, map_chart

METHOD = "quality-v1"  # raised when another way of measuring is not to be compared with this one
SEARCHES = 10  # compared with all vectors, without a filter …
FILTERED_SEARCHES = 5  # … and with each filter: comparing all is what costs
NEIGHBOURS = 100  # films at random whose ten nearest are searched, and as many of those in collections
ON_THE_MAP = 1000
FIGURES = 4  # after the point, of what the web UI shows


@dg.asset(group_name="search", kinds={"python", "postgres"}, deps=["movie_vectors"])
@logged(checked="vectors")
def search_quality(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]
) -> dg.MaterializeResult[None]:
    """A measurement of the active embedding set: recall, latency, what is near what, and what similarities mean.

    Measured again when a vector, a filter's column, the index, a collection or a golden pair changed; otherwise
    the last figures stand.
    """
    active = database.rows("active_set")
    state = database.row("quality_content", set_id=active[0].set_id) if active else None
    if state is None or not state.vectors:
        context.log.info("there is nothing to search yet")
        return dg.MaterializeResult(metadata={"vectors": 0, "is_new": False})
    content = f"{METHOD} {state.content}"
    last = database.rows("quality_history", measurements=1)
    is_new = not last or last[0].content != content
    if is_new:
        measured = _measure(database, active[0].set_id)
        database.execute(
            "record_quality", set_id=active[0].set_id, measured_at=run_time_of(context.run), content=content,
            vectors=state.vectors, **measured,
        )  # fmt: skip
        last = database.rows("quality_history", measurements=1)
    else:
        context.log.info(
            f"nothing that searches see has changed since {last[0].measured_at:%Y-%m-%d}: its figures stand"
        )
    return dg.MaterializeResult(metadata={"is_new": is_new, **_reported(last[0])})


def _measure(database: Database, set_id: int) -> dict[str, Any]:
    """Everything that is measured of a set, by the columns of pipeline.search_quality."""
    searches = [_compare(database, set_id, "nothing", "{}", SEARCHES)] + [
        _compare(database, set_id, chosen.says, chosen.filters, FILTERED_SEARCHES)
        for chosen in database.rows("filters_to_measure", set_id=set_id)
    ]
    near = database.rows("measure_neighbours", set_id=set_id, samples=NEIGHBOURS)
    ranks = database.rows("golden_ranks", set_id=set_id)
    together = [row.siblings_found / min(10, row.siblings) for row in near if row.siblings]
    milliseconds = [row.milliseconds for row in near]
    return {
        "recall_at_10": searches[0]["recall_at_10"],
        "least_filtered_recall_at_10": min((s["recall_at_10"] for s in searches[1:]), default=None),
        "p50_ms": float(np.quantile(milliseconds, 0.5)),
        "p95_ms": float(np.quantile(milliseconds, 0.95)),
        "exact_ms": searches[0]["exact_ms"],
        "collection_films": len(together),
        "collection_recall_at_10": mean(together) if together else None,
        "golden_pairs": len(ranks),
        "golden_pairs_far": sum(row.place > row.within for row in ranks),
        "searches": json.dumps(searches),
        "places": json.dumps([[row.title, row.other_title, row.place, row.within] for row in ranks]),
        **_calibrate(database, set_id, [row.similarities for row in near if row.is_random and row.similarities]),
    }


def _compare(database: Database, set_id: int, says: str, filters: str, samples: int) -> dict[str, Any]:
    """Searches through the index against comparing all."""
    found = database.rows("measure_searches", set_id=set_id, samples=samples, filters=filters)
    recalls = [row.recall_at_10 for row in found if row.recall_at_10 is not None]
    return {
        "filter": says,
        "searches": len(found),
        "recall_at_10": mean(recalls) if recalls else 1.0,
        "ms": median(row.milliseconds for row in found),
        "exact_ms": median(row.exact_ms for row in found),
    }


def _calibrate(database: Database, set_id: int, near: list[list[float]]) -> dict[str, Any]:
    """What similarities mean in a set, and its pictures."""
    sample = database.rows("sample_vectors", set_id=set_id, samples=ON_THE_MAP)
    vectors = np.array([np.frombuffer(row.embedding, ">f4", offset=4) for row in sample], dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    random = pair_similarities(vectors)
    nearest = np.array([similarities[0] for similarities in near])
    tenth = np.array([similarities[-1] for similarities in near])
    thresholds = profiles_of(random, nearest, tenth)
    places, _ = principal_plane(vectors)
    return {
        "random_similarity": quantiles_of(random),
        "nearest_similarity": quantiles_of(nearest),
        "tenth_similarity": quantiles_of(tenth),
        "loose": thresholds.loose,
        "related": thresholds.related,
        "very_similar": thresholds.very_similar,
        "map": map_chart(places, [row.genres for row in sample]),
        "histogram": histogram_chart(random, nearest, thresholds),
    }


def _reported(row: sa.Row[Any]) -> dict[str, Any]:
    """A measurement as metadata; what could not be measured is left out."""
    figures = {
        name: getattr(row, name)
        for name in (
            "vectors", "recall_at_10", "least_filtered_recall_at_10", "p50_ms", "p95_ms", "exact_ms",
            "collection_films", "collection_recall_at_10", "golden_pairs", "golden_pairs_far",
            "loose", "related", "very_similar",
        )
    }  # fmt: skip
    searches = [
        (s["filter"], s["searches"], round(s["recall_at_10"], 3), round(s["ms"], 1), round(s["exact_ms"], 1))
        for s in row.searches
    ]
    similarities = zip(
        row.random_similarity or (), row.nearest_similarity or (), row.tenth_similarity or (), strict=True
    )
    quantiles = [(f"{share:.1%}", *values) for share, values in zip(QUANTILES, similarities, strict=False)]
    return {
        "measured_at": row.measured_at.isoformat(),
        **{name: round(value, FIGURES) for name, value in figures.items() if value is not None},
        "searches": shown_table(("filter", "searches", "recall@10", "ms", "ms without index"), searches),
        "similarities": shown_table(("share below", "pairs at random", "nearest", "tenth nearest"), quantiles),
        **{name: dg.MetadataValue.md(text) for name in ("map", "histogram") if (text := getattr(row, name))},
    }
