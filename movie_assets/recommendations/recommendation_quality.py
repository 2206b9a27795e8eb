"""The asset that evaluates the served model: how well it ranks the films that people watched next, beside other models.

`recommendations.quality` computes the figures; the check below compares them with those of popularity.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import dagster as dg
import numpy as np
import sqlalchemy as sa

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, execute
from movie_assets.recommendations.histories import MIN_TO_CUT, Ids
from movie_assets.recommendations.item_models import Matrix
from movie_assets.recommendations.model import Parameters
from movie_assets.recommendations.quality import POPULARITY, PROTOCOLS, SERVED, Measured, compare
from movie_assets.recommendations.recommendation_model import recommendation_model
from movie_assets.recommendations.store import Metadata, parameters_of, read_learnable, served_model
from movie_assets.runs.metadata_tables import bar, of_media, shown_table
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of
from movie_assets.tmdb.media import MOVIES

VECTORS = 2_000  # per query
NO_MODEL = "no model is served yet"


class MovieVector(NamedTuple):
    """The vector of a film in the active set, in pgvector's binary form."""

    title_id: int
    embedding: bytes


class ModelQuality(NamedTuple):
    """The stored figures of a model by one protocol, with the ends of their 95 % intervals."""

    media_type: str
    model_id: int
    protocol: str
    model: str
    measured_at: datetime
    persons: int
    recall_at_10: float
    recall_low: float
    recall_high: float
    ndcg_at_10: float
    ndcg_low: float
    ndcg_high: float
    over_popularity: float
    over_popularity_low: float
    over_popularity_high: float
    coverage: float
    diversity: float
    diversity_low: float
    diversity_high: float
    seconds: float


@dg.asset(group_name="recommendations", kinds={"scipy", "postgres"}, deps=[recommendation_model, "movie_vectors"])
@logged()
def recommendation_quality(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """A model's recall@10, NDCG@10, coverage and diversity on the latest films of each history, with 95 % intervals.

    It is measured when the served model is another one; otherwise the last figures stay. Each media type is measured by
    itself.
    """
    metadata: Metadata = {}
    for media in settings.media_types:
        metadata |= of_media(media, _evaluate(context.log, database, settings, media, run_time_of(context.run)))
    return dg.MaterializeResult(metadata=metadata)


def _evaluate(
    log: dg.DagsterLogManager, database: Database, settings: Settings, media: str, as_of: datetime
) -> Metadata:
    """Measure the served model of a media type if that was not done yet; return the metadata of its figures."""
    of = "" if media == MOVIES.name else f" of {media}"
    served = served_model(database, media)
    if served is None:
        why = f"no model{of} is served yet"
        log.info(why)
        return {"is_new": False, "why": why}
    qualities = database.fetch(ModelQuality, "recommendation_quality", media=[media])
    is_new = not qualities or qualities[0].model_id != served.model_id
    if is_new:
        measured = _measure(log, database, media, parameters_of(served), learn_from_content=settings.learn_from_content)

        def work(connection: sa.Connection) -> None:
            for figures in measured:
                execute(
                    connection, "record_recommendation_quality", model_id=served.model_id,
                    measured_at=as_of, **columns_of(figures),
                )  # fmt: skip

        database.once(work)
        if not measured:
            return {"is_new": False, "why": f"no history{of} has {MIN_TO_CUT} dates, so there is nothing to predict"}
        qualities = database.fetch(ModelQuality, "recommendation_quality", media=[media])
    return {"is_new": is_new, **_metadata_of(qualities)}


def _measure(
    log: dg.DagsterLogManager, database: Database, media: str, parameters: Parameters, *, learn_from_content: bool
) -> list[Measured]:
    """Return the figures of each model by each protocol, logged as they are measured."""
    learnable = read_learnable(database, media, learn_from_content=learn_from_content)
    vectors = _vectors(database, learnable.histories.films)
    measured = []
    for figures in compare(learnable.histories, learnable.content, vectors, parameters, time.monotonic):
        log.info(f"{figures.protocol}, {figures.model}: NDCG@10 {figures.ndcg.mean:.4f} ({figures.seconds:.0f} s)")
        measured.append(figures)
    return measured


def _vectors(database: Database, films: Ids) -> Matrix | None:
    """Return the unit vectors of films (films by dimensions), zeros without a vector; None if no film has one."""
    vectors: Matrix | None = None
    for start in range(0, len(films), VECTORS):
        part = films[start : start + VECTORS]
        for row in database.fetch(MovieVector, "film_vectors", films=part.tolist()):
            vector = np.frombuffer(row.embedding, ">f4", offset=4).astype(np.float32)
            if vectors is None:
                vectors = np.zeros((len(films), len(vector)), dtype=np.float32)
            vectors[np.searchsorted(films, row.title_id)] = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return vectors


def columns_of(measured: Measured) -> dict[str, str | int | float]:
    """Return the figures by the columns of pipeline.recommendation_quality."""
    recall, ndcg, over, diversity = measured.recall, measured.ndcg, measured.over_popularity, measured.diversity
    return {
        "protocol": measured.protocol, "model": measured.model, "persons": measured.persons,
        "recall_at_10": recall.mean, "recall_low": recall.low, "recall_high": recall.high,
        "ndcg_at_10": ndcg.mean, "ndcg_low": ndcg.low, "ndcg_high": ndcg.high,
        "over_popularity": over.mean, "over_popularity_low": over.low, "over_popularity_high": over.high,
        "coverage": measured.coverage, "diversity": diversity.mean, "diversity_low": diversity.low,
        "diversity_high": diversity.high, "seconds": measured.seconds,
    }  # fmt: skip


def _metadata_of(qualities: Sequence[ModelQuality]) -> Metadata:
    """Return figures of the served model and popularity as numbers, those of all models as tables."""
    metadata: Metadata = {}
    for protocol, _ in PROTOCOLS:
        rows = [row for row in qualities if row.protocol == protocol]
        name = _name_of(protocol)
        for row in rows:
            if row.model in (SERVED, POPULARITY):
                metadata[f"{name}_{row.model}_recall_at_10"] = row.recall_at_10
                metadata[f"{name}_{row.model}_ndcg_at_10"] = row.ndcg_at_10
            if row.model == SERVED:
                metadata |= {
                    f"{name}_coverage": row.coverage,
                    f"{name}_diversity": row.diversity,
                    "persons": row.persons,
                }
        if rows:
            metadata[f"{name}_table"] = table_of(rows)
    return metadata


def table_of(rows: Sequence[ModelQuality]) -> dg.TableMetadataValue:
    """Return a table of figures with a row for each model; the bars compare NDCG@10, the longest is the best."""
    best = max((r.ndcg_at_10 for r in rows), default=0.0) or 1.0
    return shown_table(
        ("model", "NDCG@10 to the best", "recall@10", "NDCG@10", "over popularity", "coverage", "diversity", "seconds"),
        [
            (
                r.model,
                bar(r.ndcg_at_10 / best),
                f"{r.recall_at_10:.3f} ({r.recall_low:.3f}-{r.recall_high:.3f})",
                f"{r.ndcg_at_10:.3f} ({r.ndcg_low:.3f}-{r.ndcg_high:.3f})",
                f"{r.over_popularity:+.3f} ({r.over_popularity_low:+.3f} to {r.over_popularity_high:+.3f})",
                round(r.coverage, 3),
                round(r.diversity, 3),
                round(r.seconds, 1),
            )
            for r in rows
        ],
    )


@dg.asset_check(asset=recommendation_quality)
def the_model_beats_popularity(
    database: dg.ResourceParam[Database], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """The served model ranks the films that people watched next better than a list of the most liked films does.

    It is an error only if the whole interval of the difference is below 0.
    """
    qualities = database.fetch(ModelQuality, "recommendation_quality", media=list(settings.media_types))
    newest = [row for row in qualities if row.model == SERVED]
    if not newest:
        return dg.AssetCheckResult(passed=True, description=NO_MODEL)
    below = [row for row in newest if row.over_popularity < 0]
    is_sure = any(row.over_popularity_high < 0 for row in below)
    return dg.AssetCheckResult(
        passed=not below,
        severity=dg.AssetCheckSeverity.ERROR if is_sure else dg.AssetCheckSeverity.WARN,
        description="; ".join(
            f"{_protocol_of(row)}: NDCG@10 of {row.ndcg_at_10:.4f} is {-row.over_popularity:.4f} below popularity's "
            f"(95 % interval of the difference: {row.over_popularity_low:+.4f} to {row.over_popularity_high:+.4f})"
            for row in below
        )
        + ". Histories may be too few or their times wrong: pipeline.recommendation_quality has the figures"
        if below
        else None,
        metadata={
            name: value
            for row in newest
            for name, value in of_media(
                row.media_type, {f"over_popularity_{_name_of(row.protocol)}": row.over_popularity}
            ).items()
        },
    )


def _protocol_of(row: ModelQuality) -> str:
    """Return the protocol of figures, with the media type if they are not of movies."""
    return row.protocol if row.media_type == MOVIES.name else f"{row.media_type}, {row.protocol}"


def _name_of(protocol: str) -> str:
    """Return a protocol as a part of a name."""
    return protocol.replace(" %", "_percent").replace(" ", "_")
