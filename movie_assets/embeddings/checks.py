"""The checks of movie_embeddings on a whole set, with the figures of the run that evaluates them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import dagster as dg

from movie_assets.catalog.embedding_text import TEMPLATE
from movie_assets.embeddings.bulk_progress import BulkJobState
from movie_assets.embeddings.server_limits import model_changed
from movie_assets.embeddings.store import EmbeddingStore
from movie_assets.runs.batch_runs import listed
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.partitions import batches

WIDTH = "every_vector_has_the_declared_dimensions"
FINITE = "every_vector_is_finite_and_not_zero"
CURRENT = "every_text_is_embedded_as_it_stands"


class DamagedVectors(NamedTuple):
    """The vectors of a batch that have another width than their set, or another length than 1."""

    batch: int
    wrong_width: int
    wrong_length: int


class StaleVectors(NamedTuple):
    """The movies of a batch whose text is not the one that was embedded, and how many of them wait for what."""

    batch: int
    films: int
    in_flight: int
    refused: int
    came_later: int


class ModelNames(NamedTuple):
    """The model's name that the service returned with a set's first vectors, and with those of the last run."""

    begun_by: str | None
    answered_by: str | None


@dataclass(frozen=True)
class RunScope:
    """The batches of a run, the hashes of their texts that had no vector when it began, and why it ended early."""

    batches: Sequence[int]
    text_hashes: Sequence[str]
    problem: str | None = None


def evaluate(store: EmbeddingStore, scope: RunScope) -> Iterator[dg.AssetCheckResult]:
    """Yield the results of all checks of a run's set."""
    damaged = store.database.fetch(DamagedVectors, "damaged_vectors", set_id=store.set_id)
    yield _damage(WIDTH, {row.batch: row.wrong_width for row in damaged})
    yield _damage(FINITE, {row.batch: row.wrong_length for row in damaged})
    yield _current(store, scope)


def _damage(check: str, counts: dict[int, int]) -> dg.AssetCheckResult:
    names = batches.get_partition_keys()
    by_batch = {names[batch]: count for batch, count in counts.items() if count}
    total = sum(by_batch.values())
    problem = f"{total:,} vectors, none may be; materialize again: {listed(by_batch)}"
    return dg.AssetCheckResult(
        passed=not by_batch,
        check_name=check,
        description=problem if by_batch else None,
        metadata={"vectors": total, "by_batch": by_batch},
    )


def _current(store: EmbeddingStore, scope: RunScope) -> dg.AssetCheckResult:
    rows = store.database.fetch(
        StaleVectors, "stale_vectors", set_id=store.set_id, template=TEMPLATE, as_of=store.as_of,
        batches=scope.batches, planned=scope.text_hashes, run_id=store.run_id,
    )  # fmt: skip
    names = batches.get_partition_keys()
    stale = {names[row.batch]: row.films for row in rows if row.films}
    in_flight = sum(row.in_flight for row in rows)
    refused = sum(row.refused for row in rows)
    came_later = sum(row.came_later for row in rows)
    models = _models(store)
    problems = []
    if stale:
        problems.append(f"{sum(stale.values()):,} texts, none may be; materialize again: {listed(stale)}")
    if stale and scope.problem:
        problems.append(f"the run ended early: {scope.problem}")
    if in_flight:
        problems.append(f"{in_flight:,} texts are in batches at the service; a later run collects them")
    if refused:
        last = f" (the last: {store.totals.last_refusal})" if store.totals.last_refusal else ""
        problems.append(f"{refused:,} texts were refused and are tried again later, see pipeline.rejects{last}")
    if came_later:
        problems.append(f"{came_later:,} texts came while the run was at work; the next run embeds them")
    if len(models) > 1:
        problems.append(model_changed(models[0], models[-1]))
    totals = store.totals
    return dg.AssetCheckResult(
        passed=not (stale or in_flight or refused or len(models) > 1),
        check_name=CURRENT,
        severity=dg.AssetCheckSeverity.WARN if not stale else dg.AssetCheckSeverity.ERROR,
        description="; ".join(problems) or None,
        metadata={
            "films": sum(stale.values()),
            "by_batch": stale,
            "in_flight": in_flight,
            "refused": refused,
            "came_later": came_later,
            "texts_embedded": totals.texts,
            "texts_rejected": totals.rejected,
            "texts_cut": totals.cut,
            "answered_by": ", ".join(models) or "the service gave no name",
            "tokens": totals.tokens,
            "dollars": totals.dollars,
            "sent_in_bulk": totals.sent_in_bulk,
            "left_by_bulk": len(totals.left_by_bulk),
            "left_at_full_price": totals.left_at_full_price,
            **({"problem": scope.problem} if scope.problem else {}),
            **_jobs(store),
        },
    )


def _jobs(store: EmbeddingStore) -> dict[str, dg.TableMetadataValue]:
    """Return a table of the bulk jobs at the service, if there are any."""
    jobs = store.database.fetch(BulkJobState, "bulk_jobs_at_service", as_of=store.as_of)
    rows = [(job.bulk_id, job.status, job.texts, job.done, job.failed, job.problem or "") for job in jobs]
    return {"batches": shown_table(("batch", "state", "texts", "done", "failed", "problem"), rows)} if rows else {}


def _models(store: EmbeddingStore) -> list[str]:
    """Return the distinct names under which the service returned vectors of the set, in the order of time."""
    recorded = store.database.fetch_one(ModelNames, "models_that_answered", set_id=store.set_id)
    names = (recorded.begun_by, *store.totals.models, recorded.answered_by)
    return list(dict.fromkeys(name for name in names if name))
