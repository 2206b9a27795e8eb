"""Stage 5: the vectors that searches see, with their index, switched from set to set in one transaction.

How a set's table and index are kept is in sql/search/vectors.sql; its life, in embedding_sets.sql; how well it is
searched, in set_quality.sql, and watched by `search_quality`.
"""

from collections.abc import Sequence
from datetime import timedelta
from statistics import mean
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database, driver_connection, fetch_value
from movie_assets.embeddings.embedder import Embedder
from movie_assets.embeddings.sets import embedding_set
from movie_assets.runs.batch_runs import amiss
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

MIN_COVERAGE = 0.99  # of the accepted films, before a new set takes the place of the active one
MIN_RECALL = 0.95
SAMPLES = 10
MAX_GROWTH = 2.0  # of the index for each vector since it was built, before it should be built anew
SPILLED = "graph no longer fits"  # what pgvector says when a build runs out of maintenance_work_mem
NOT_PARALLEL = "without parallel workers"  # what pipeline.build_index says when shared memory is too small


class DroppedSet(NamedTuple):
    """An embedding set whose vectors were dropped."""

    name: str


class VectorAgreement(NamedTuple):
    """How many movies and vectors there are, and in how many cases they do not belong together."""

    films_without_vector: int
    vectors_without_film: int
    vectors_of_older_text: int
    either: int


class IndexState(NamedTuple):
    """The index of the set that is searched: its size, and its size for each vector over that when it was built."""

    is_valid: bool
    bytes: int
    growth: float | None
    dead_rows: int


@dg.asset(group_name="search", kinds={"postgres"}, deps=["movie_embeddings"])
@logged(checked="films", changed="rows_out", gone="rows_removed")
def movie_vectors(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    embedder: dg.ResourceParam[Embedder],
    keep_sets: dg.ResourceParam[timedelta],
) -> dg.MaterializeResult[None]:
    """A film that can be found: its vector in the active embedding set, behind an index of nearest neighbours.

    Films that left the catalogue leave it too; vectors that did not move are not touched. A new set takes over when it
    covers the catalogue and is searched well.
    """
    set_id = embedding_set(database, embedder)
    moved = database.row("refresh_vectors", set_id=set_id)
    is_built = build_index(context.log, database, set_id)
    active = database.rows("active_set")
    if not active or active[0].set_id != set_id:
        missing = obstacles(database, set_id, moved.total) if active else []
        if active and active[0].is_held:
            missing.append(_held(active[0].set_id, set_id))
        if missing:
            context.log.info(f"the new set waits: {'; '.join(missing)}. The old one goes on being searched")
            database.execute("refresh_vectors", set_id=active[0].set_id)
        elif moved.total:
            database.execute("activate_set", set_id=set_id, hold=False)
            context.log.info(f"searches now see the vectors of {embedder.provider} {embedder.model}")
    for old in database.execute_returning(
        DroppedSet, "drop_old_sets", as_of=run_time_of(context.run), days=keep_sets.days, set_id=set_id
    ):
        context.log.info(f"the set {old.name} was not used for {keep_sets.days} days and is dropped")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": moved.total,
            "films": database.fetch_value(int, "count_movies"),
            "vectors": moved.total,
            "rows_out": moved.written,
            "rows_removed": moved.removed,
            "filters_changed": moved.refiltered,
            "index_built": is_built,
            "embedding_model": f"{embedder.provider} {embedder.model}",
            "dimensions": embedder.dimensions,
        }
    )


def build_index(log: dg.DagsterLogManager, database: Database, set_id: int) -> bool:
    """Build a set's index if it has none that is valid, and warn when the server's memory for it was too small."""
    notices: list[str] = []

    def build(connection: sa.Connection) -> bool:
        raw = driver_connection(connection)
        raw.add_notice_handler(keep := lambda notice: notices.append(notice.message_primary or ""))
        try:
            return fetch_value(connection, bool, "build_vector_index", set_id=set_id)
        finally:
            raw.remove_notice_handler(keep)

    is_built = database.once(build)
    for notice in notices:
        if SPILLED in notice:
            log.warning(f"building the index took longer than it should: {notice}")
        if NOT_PARALLEL in notice:
            log.warning(notice)
    return is_built


def obstacles(database: Database, set_id: int, vectors: int) -> list[str]:
    """What speaks against searching in a set instead of the active one; nothing when it is ready."""
    films = database.fetch_value(int, "count_movies")
    if not vectors or vectors < MIN_COVERAGE * films:
        return [f"it has {vectors:,} of {films:,} films"]
    found = []
    recall = mean(recalls_of(database, set_id))
    if recall < MIN_RECALL:
        found.append(f"its index finds {recall:.0%} of the ten nearest")
    if far := far_pairs(database, set_id):
        found.append(f"it puts films apart that belong together ({'; '.join(far)})")
    return found


def _held(active: int, wanted: int) -> str:
    return f"set {active} is held; `movie-assets sets use {wanted}` lets it go"


def recalls_of(database: Database, set_id: int) -> list[float]:
    """Recall@10 of a set's index against comparing all, for each of ten films."""
    return [row.recall_at_10 for row in database.rows("measure_searches", set_id=set_id, samples=SAMPLES, filters="{}")]


def far_pairs(database: Database, set_id: int) -> Sequence[str]:
    """Golden pairs that a set does not put near each other."""
    ranks = database.rows("golden_ranks", set_id=set_id)
    return [f"{row.title} and {row.other_title}: place {row.place:,}" for row in ranks if row.place > row.within]


@dg.asset_check(asset=movie_vectors)
def the_wanted_set_is_searched(
    database: dg.ResourceParam[Database], embedder: dg.ResourceParam[Embedder]
) -> dg.AssetCheckResult:
    """Searches see the vectors of the model that the settings name, not those of the one before."""
    set_id = embedding_set(database, embedder)
    active = database.rows("active_set")
    progress = database.rows("embedding_progress")
    told = "\n".join(
        f"| {p.set_id} | {p.provider} {p.model} {p.dimensions} | {p.state} | {p.films_embedded:,} of {p.films:,} |"
        for p in progress
    )
    is_searched = bool(active) and active[0].set_id == set_id
    (wanted,) = [p for p in progress if p.set_id == set_id]
    why = f"set {set_id} has {wanted.films_embedded:,} of {wanted.films:,} films"
    if active and active[0].is_held:
        why = _held(active[0].set_id, set_id)
    return dg.AssetCheckResult(
        passed=is_searched or not wanted.films,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if is_searched else why,
        metadata={
            "sets": dg.MetadataValue.md(f"| set | model | state | films |\n|---|---|---|---|\n{told}"),
            "share_embedded": wanted.films_embedded / wanted.films if wanted.films else 1.0,
        },
    )


@dg.asset_check(asset=movie_vectors)
def vectors_agree_with_the_catalogue(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Each accepted film has the vector of its text as it stands, and no vector is left without a film."""
    found = database.fetch_one(VectorAgreement, "vector_agreement")._asdict()
    films = found.pop("either")
    return dg.AssetCheckResult(
        passed=not any(found.values()),
        description=amiss(found),
        metadata={"films": films, **found},
    )


@dg.asset_check(asset=movie_vectors)
def the_index_is_valid(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """The active set has an index that was built to its end and has not swollen to twice its size since."""
    index = database.fetch_optional(IndexState, "index_state")
    if index is None:
        return dg.AssetCheckResult(passed=False, description="there is no index; materialize movie_vectors")
    growth = index.growth or 1.0
    swollen = growth > MAX_GROWTH
    return dg.AssetCheckResult(
        passed=index.is_valid and not swollen,
        severity=dg.AssetCheckSeverity.WARN if index.is_valid else dg.AssetCheckSeverity.ERROR,
        description=_error_class(growth, is_valid=index.is_valid),
        metadata={"megabytes": round(index.bytes / 2**20, 1), "growth": growth, "dead_rows": index.dead_rows},
    )


def _error_class(growth: float, *, is_valid: bool) -> str | None:
    if not is_valid:
        return "the index was not built to its end; materialize movie_vectors"
    how = f"{growth:.1f} times its size when built, at most {MAX_GROWTH:.0f} may be"
    return f"{how}; the runbook says how to rebuild it" if growth > MAX_GROWTH else None
