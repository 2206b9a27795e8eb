"""The vectors that searches use, with their index.

Searches switch from one embedding set to another in one transaction. sql/search/vectors.sql maintains the table and the
index of a set, sql/embeddings/embedding_sets.sql creates and drops sets, and sql/search/set_quality.sql measures how
well a set is searched (see `search_quality`).
"""

from collections.abc import Sequence
from statistics import mean
from typing import NamedTuple

import dagster as dg

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.embedder import Embedder
from movie_assets.embeddings.sets import ActiveSet, RefreshedVectors, SetProgress, embedding_set
from movie_assets.runs.batch_runs import amiss
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of
from movie_assets.search.vector_index import SearchTuning, build_index, tune_searches

MIN_COVERAGE = 0.99  # of the accepted films, before a new set replaces the active one
MIN_RECALL = 0.95
SAMPLES = 10
MAX_GROWTH = 2.0  # of the index's size per vector since it was built, before it should be rebuilt


class SearchMeasurement(NamedTuple):
    """A search for the films nearest to a film, through the index and by comparing all vectors.

    `recall_at_10` is the share of the ten nearest films that the index found; None when no film passes the filter.
    """

    title_id: int
    recall_at_10: float | None
    milliseconds: float
    exact_ms: float


class GoldenRank(NamedTuple):
    """A golden pair: the rank of the second film among the neighbours of the first, and the highest allowed rank."""

    title: str
    other_title: str
    within: int
    place: int


class DroppedSet(NamedTuple):
    """An embedding set whose vectors were dropped."""

    name: str


class ChangedForm(NamedTuple):
    """Whether the vectors of a set are stored in another form now."""

    is_changed: bool


class VectorAgreement(NamedTuple):
    """Counts of movies and vectors that do not match; `either` counts all movies and vectors."""

    films_without_vector: int
    vectors_without_film: int
    vectors_of_older_text: int
    either: int


class IndexState(NamedTuple):
    """The index of the active set; `growth` is its size per vector, relative to that when it was built."""

    is_needed: bool
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
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """A film that searches can find: its vector in the active embedding set, with an index of nearest neighbours.

    Films that left the catalogue are removed; unchanged vectors are not written again. A new set becomes active when
    it covers the catalogue and its searches find the nearest films.
    """
    set_id = embedding_set(database, embedder)
    (form,) = database.execute_returning(ChangedForm, "store_in_suitable_form", set_id=set_id)
    if form.is_changed:
        context.log.info("the vectors are stored in another form, without their zeros where most of them are zeros")
    (refreshed,) = database.execute_returning(RefreshedVectors, "refresh_vectors", set_id=set_id)
    is_built = build_index(context.log, database, set_id)
    tuning = database.fetch_one(SearchTuning, "search_tuning", set_id=set_id)
    if is_built or tuning.ef_search is None:
        tune_searches(context.log, database, set_id, anew=True)
    active = database.fetch_optional(ActiveSet, "active_set")
    if active is None or active.set_id != set_id:
        reasons = reasons_to_wait(database, set_id, refreshed.total) if active else []
        if active and active.is_held:
            reasons.append(_held_message(active.set_id, set_id))
        if active and reasons:
            context.log.info(f"the new set is not active yet: {'; '.join(reasons)}. Searches still use the old set")
            database.execute("refresh_vectors", set_id=active.set_id)
        elif refreshed.total:
            database.execute("activate_set", set_id=set_id, hold=False)
            context.log.info(f"searches now use the vectors of {embedder.provider} {embedder.model}")
    for old in database.execute_returning(
        DroppedSet, "drop_old_sets", as_of=run_time_of(context.run), days=settings.keep_sets_days, set_id=set_id
    ):
        context.log.info(f"dropped the set {old.name}, which was not used for {settings.keep_sets_days} days")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": refreshed.total,
            "films": database.fetch_value(int, "count_movies"),
            "vectors": refreshed.total,
            "rows_out": refreshed.written,
            "rows_removed": refreshed.removed,
            "filters_changed": refreshed.refiltered,
            "index_built": is_built,
            "embedding_model": f"{embedder.provider} {embedder.model}",
            "dimensions": embedder.dimensions,
        }
    )


def reasons_to_wait(database: Database, set_id: int, vectors: int) -> list[str]:
    """Return the reasons why a set of so many vectors cannot replace the active one yet."""
    films = database.fetch_value(int, "count_movies")
    if not vectors or vectors < MIN_COVERAGE * films:
        return [f"it has {vectors:,} of {films:,} films"]
    reasons = []
    recall = mean(recalls_of(database, set_id))
    if recall < MIN_RECALL:
        reasons.append(f"its index finds {recall:.0%} of the ten nearest films")
    if pairs := distant_pairs(database, set_id):
        reasons.append(f"films that belong together are not among each other's nearest ({'; '.join(pairs)})")
    return reasons


def _held_message(active: int, wanted: int) -> str:
    return f"set {active} is held; `movie-assets sets use {wanted}` releases it"


def recalls_of(database: Database, set_id: int) -> list[float]:
    """Return recall@10 of a set's index for ten films, each compared with a search over all vectors."""
    measured = database.fetch(SearchMeasurement, "measure_searches", set_id=set_id, samples=SAMPLES, filters="{}")
    return [search.recall_at_10 for search in measured if search.recall_at_10 is not None]


def distant_pairs(database: Database, set_id: int) -> Sequence[str]:
    """Return the golden pairs whose second film is not near enough to the first, each with its rank."""
    ranks = database.fetch(GoldenRank, "golden_ranks", set_id=set_id)
    return [f"{rank.title} and {rank.other_title}: place {rank.place:,}" for rank in ranks if rank.place > rank.within]


@dg.asset_check(asset=movie_vectors)
def the_wanted_set_is_searched(
    database: dg.ResourceParam[Database], embedder: dg.ResourceParam[Embedder]
) -> dg.AssetCheckResult:
    """Searches use the vectors of the model that the settings name, not those of the model before it."""
    set_id = embedding_set(database, embedder)
    active = database.fetch_optional(ActiveSet, "active_set")
    progress = database.fetch(SetProgress, "embedding_progress")
    is_searched = active is not None and active.set_id == set_id
    (wanted,) = [p for p in progress if p.set_id == set_id]
    reason = f"set {set_id} has {wanted.films_embedded:,} of {wanted.films:,} films"
    if active and active.is_held:
        reason = _held_message(active.set_id, set_id)
    return dg.AssetCheckResult(
        passed=is_searched or not wanted.films,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if is_searched else reason,
        metadata={
            "sets": shown_table(
                ("set", "model", "state", "films"),
                [
                    (
                        p.set_id,
                        f"{p.provider} {p.model} {p.dimensions}",
                        p.state,
                        f"{p.films_embedded:,} of {p.films:,}",
                    )
                    for p in progress
                ],
            ),
            "share_embedded": wanted.films_embedded / wanted.films if wanted.films else 1.0,
        },
    )


@dg.asset_check(asset=movie_vectors)
def vectors_agree_with_the_catalogue(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Each accepted film has the vector of its current text, and no vector is left without a film."""
    counts = database.fetch_one(VectorAgreement, "vector_agreement")._asdict()
    films = counts.pop("either")
    return dg.AssetCheckResult(
        passed=not any(counts.values()),
        description=amiss(counts),
        metadata={"films": films, **counts},
    )


@dg.asset_check(asset=movie_vectors)
def the_index_is_valid(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """The active set has a completely built index that has not grown to twice its size since it was built.

    A set whose searches compare all vectors needs none.
    """
    index = database.fetch_optional(IndexState, "index_state")
    if index is None:
        return dg.AssetCheckResult(passed=False, description="no set is searched yet; materialize movie_vectors")
    if not index.is_needed:
        return dg.AssetCheckResult(passed=True, description="searches compare all vectors, which need no index")
    growth = index.growth or 1.0
    is_too_large = growth > MAX_GROWTH
    return dg.AssetCheckResult(
        passed=index.is_valid and not is_too_large,
        severity=dg.AssetCheckSeverity.WARN if index.is_valid else dg.AssetCheckSeverity.ERROR,
        description=_index_problem(growth, is_valid=index.is_valid),
        metadata={"megabytes": round(index.bytes / 2**20, 1), "growth": growth, "dead_rows": index.dead_rows},
    )


def _index_problem(growth: float, *, is_valid: bool) -> str | None:
    if not is_valid:
        return "the index was not built completely; materialize movie_vectors"
    size = f"the index has {growth:.1f} times the size that it was built with, at most {MAX_GROWTH:.0f} are allowed"
    return f"{size}; the runbook describes how to rebuild it" if growth > MAX_GROWTH else None
