"""The checks of movie_embeddings that look at the whole set, and what its run reports with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from movie_assets.catalog.embedding_text import TEMPLATE
from movie_assets.embeddings.server_limits import model_changed
from movie_assets.embeddings.store import EmbeddingStore
from movie_assets.runs.batch_runs import listed
from movie_assets.runs.partitions import batches

WIDTH = "every_vector_has_the_declared_dimensions"
FINITE = "every_vector_is_finite_and_not_zero"
CURRENT = "every_text_is_embedded_as_it_stands"


@dataclass(frozen=True)
class Ran:
    """What a run set out to embed: its batches, and the hashes of the texts that they had without a vector."""

    batches: Sequence[int]
    text_hashes: Sequence[str]


def evaluate(store: EmbeddingStore, ran: Ran) -> Iterator[dg.AssetCheckResult]:
    """All checks of a run's set."""
    names = batches.get_partition_keys()
    damaged = store.database.rows("damaged_vectors", set_id=store.set_id)
    for check, count in ((WIDTH, "wrong_width"), (FINITE, "wrong_length")):
        bad = {names[row.batch]: getattr(row, count) for row in damaged if getattr(row, count)}
        yield dg.AssetCheckResult(
            passed=not bad,
            check_name=check,
            description=f"{sum(bad.values()):,} vectors, none may be; materialize again: {listed(bad)}"
            if bad
            else None,
            metadata={"vectors": sum(bad.values()), "by_batch": bad},
        )
    yield _current(store, ran, names)


def _current(store: EmbeddingStore, ran: Ran, names: Sequence[str]) -> dg.AssetCheckResult:
    found = store.database.rows(
        "stale_vectors", set_id=store.set_id, template=TEMPLATE, as_of=store.as_of, batches=ran.batches,
        planned=ran.text_hashes, run_id=store.run_id,
    )  # fmt: skip
    stale = {names[row.batch]: row.films for row in found if row.films}
    in_flight, refused, came_later = (
        sum(getattr(row, name) for row in found) for name in ("in_flight", "refused", "came_later")
    )
    told = [f"{sum(stale.values()):,} texts, none may be; materialize again: {listed(stale)}"] if stale else []
    if in_flight:
        told.append(f"{in_flight:,} texts are in batches at the service; a later run collects them")
    if refused:
        told.append(f"{refused:,} texts were refused and are tried again later, see pipeline.rejects")
    if came_later:
        told.append(f"{came_later:,} texts came while the run was at work; the next run embeds them")
    totals = store.totals
    models = store.database.row("models_that_answered", set_id=store.set_id)
    names = list(dict.fromkeys(name for name in (models.begun_by, *totals.models, models.answered_by) if name))
    changed = len(names) > 1
    if changed:
        told.append(model_changed(names[0], names[-1]))
    return dg.AssetCheckResult(
        passed=not (stale or in_flight or refused or changed),
        check_name=CURRENT,
        severity=dg.AssetCheckSeverity.WARN if not stale else dg.AssetCheckSeverity.ERROR,
        description="; ".join(told) or None,
        metadata={
            "films": sum(stale.values()),
            "by_batch": stale,
            "in_flight": in_flight,
            "refused": refused,
            "came_later": came_later,
            "texts_embedded": totals.texts,
            "texts_rejected": totals.rejected,
            "texts_cut": totals.cut,
            "answered_by": ", ".join(names) or "the service gave no name",
            "tokens": totals.tokens,
            "dollars": totals.dollars,
        },
    )
