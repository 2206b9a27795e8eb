"""Stage 4: a vector for each film whose text is not the one that was embedded.

What the text is belongs to `catalog.embedding_text`; what an answer leaves in the database, to `embedding_store`;
batches at half the price, to `bulk_embedding`; what may be searched, to `movie_vectors`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from movie_assets.config.prices import Budgets
from movie_assets.database.database import Database
from movie_assets.embeddings.checks import Ran, evaluate
from movie_assets.embeddings.embedder import Embedder, EmbedderError, set_key
from movie_assets.embeddings.forecast import budget_check, forecast_for, require_a_price
from movie_assets.embeddings.outcome import Outcome, recorded
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.store import EmbeddingStore, Text, texts_of
from movie_assets.runs.batch_runs import NO_VALUE, BatchRun, ForceConfig, what_is_done
from movie_assets.runs.evaluations import evaluation_of
from movie_assets.runs.partitions import batches
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import is_by_hand, run_time_of, went_on_since

if TYPE_CHECKING:
    from movie_assets.embeddings.bulk_embedding import BulkClient


class EmbeddingConfig(ForceConfig):
    """How to embed."""

    bulk: bool = Field(
        default=False,
        description="Through the service's Batch API: half the price, within a day. A later run of any kind collects "
        "what this one did not wait for.",
    )
    wait_minutes: float = Field(
        default=60.0, ge=0, description="How long a run in bulk waits for its batches; it blocks other runs meanwhile."
    )


@dg.asset(
    group_name="catalogue",
    kinds={"python", "openai", "postgres"},
    partitions_def=batches,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=["movie_details"],
    dagster_type=NO_VALUE,
    pool="embedder",
)
@logged("checked", "skipped", "embedded", "tokens", "dollars", "failed")
def movie_embeddings(
    context: dg.AssetExecutionContext,
    config: EmbeddingConfig,
    database: dg.ResourceParam[Database],
    embedder: dg.ResourceParam[Embedder],
    budgets: dg.ResourceParam[Budgets],
) -> Iterator[dg.AssetCheckEvaluation | dg.Output[None]]:
    """A film's vector in an embedding set, with the hash of the text that it was made from.

    Provider, model, dimensions and template name a set: after a change of any of them vectors are made for a
    new set, and the old one goes on being searched until the new one covers the catalogue. Launched with the config
    `force: true`, a run embeds every text of its batches again.
    """
    set_id, as_of = embedding_set(database, embedder), run_time_of(context.run)
    store = EmbeddingStore(database, set_id, as_of, context.run.run_id)
    budget = DatabaseBudget(database, set_id, context.run.run_id, as_of, budgets)
    run = BatchRun(context, "texts", store.contents)
    with database.batch_locks(run.batches, "movie_embeddings") as ours:
        run.exclude_locked(ours)
        database.execute("forget_reservations", as_of=as_of)
        database.execute("drop_damaged_vectors", set_id=set_id, batches=sorted(ours))
        films = database.rows(
            "texts_to_embed", set_id=set_id, batches=sorted(ours), as_of=as_of, by_hand=is_by_hand(context.run),
            force=config.force, forced_since=went_on_since(context.instance, context.run),
        )  # fmt: skip
        forced = sum(film.is_forced for film in films)
        context.log.info(what_is_done("embedding", "texts", len(films) - forced, forced if config.force else None))
        due = texts_of(film for film in films if not film.is_in_flight)
        expected = forecast_for(database, embedder, set_id, due)
        yield evaluation_of(context, budget_check(budget, expected, in_bulk=config.bulk))
        store.plan(ours, len(films))
        run.plan(film.batch for film in films)
        flow = _Flow(embedder, budget, store, run, texts_of(films), expected.bytes_per_token)
        with recorded(flow.outcome, context.log.warning):
            _work(flow, config, context.log.info)
    totals = store.totals
    context.log.info(f"{totals.texts:,} texts embedded, {totals.tokens:,} tokens, ${totals.dollars:.4f}")
    for result in evaluate(store, Ran(sorted(ours), [film.text_hash for film in films])):
        yield evaluation_of(context, result)
    yield from run.end()


def embedding_set(database: Database, embedder: Embedder) -> int:
    """The number of the set that an embedder's vectors belong to."""
    set_id: int = database.row("ensure_set", **set_key(embedder)).set_id
    return set_id


@dataclass
class _Flow:
    """A run's texts on their way; `left` are those that nothing has come for."""

    embedder: Embedder
    budget: DatabaseBudget
    store: EmbeddingStore
    run: BatchRun
    texts: Sequence[Text]
    bytes_per_token: float

    def __post_init__(self) -> None:
        self.left = {text.text_hash: text for text in self.texts}
        self.outcome = Outcome(self.store, self.texts)

    def done(self, text_hashes: Iterable[str]) -> None:
        """Count texts as done with that came from a batch; those of other runs' films are none of this run's."""
        ours = [self.left.pop(each) for each in text_hashes if each in self.left]
        self.run.advance(batch for text in ours for _, batch in text.films)


def _work(flow: _Flow, config: EmbeddingConfig, say: Callable[[str], None]) -> None:
    """Embed what is due; if the service or a budget ends this early, fail the batches that are not done."""
    try:
        require_a_price(flow.embedder, flow.budget)
        _work_as_configured(flow, config, say)
    except EmbedderError as error:
        flow.outcome.problem = str(error)
        flow.run.fail_unfinished(str(error))


def _work_as_configured(flow: _Flow, config: EmbeddingConfig, say: Callable[[str], None]) -> None:
    """Collect what is in batches at the service, then embed the rest, at once or in bulk."""
    service = flow.embedder.batches
    if service is None:
        _embed(flow, list(flow.left.values()))
        return
    from movie_assets.embeddings.bulk_embedding import BulkClient  # noqa: PLC0415  # openai takes half a second

    desk = BulkClient(flow.embedder, service, flow.store, flow.budget, say, flow.bytes_per_token)
    # Two runs must not collect the same batch, or take the one that the other is just sending for a dead run's.
    with flow.store.database.batch_locks([0], "embedding_batches") as mine:
        if mine:
            for text_hashes in desk.collect(seconds=0):
                flow.done(text_hashes)
        waiting = desk.in_flight()
        rest = [text for text in flow.left.values() if text.text_hash not in waiting]
        if not config.bulk:
            _embed(flow, rest)
        elif mine:
            _embed_in_bulk(flow, desk, rest, 60 * config.wait_minutes)
        elif rest:
            # The service has nothing to do with it, so it is no problem of the outcome.
            flow.run.fail_unfinished("another run is busy with batches at the service; run again when it has ended")
    if waiting := desk.in_flight():
        say(f"{len(waiting):,} texts are in batches at the service; a later run collects them")


def _embed(flow: _Flow, texts: Sequence[Text]) -> None:
    """Store each answer as it arrives, while the next requests are in flight."""
    films_by_batch = Counter(batch for text in flow.texts for _, batch in text.films)
    for part in flow.embedder.stream([text.text for text in texts], flow.budget, flow.bytes_per_token):
        done = flow.store.keep(part, texts)
        for batch, problem in flow.store.batches_beyond_bearing(films_by_batch).items():
            flow.run.fail(batch, problem)
        flow.run.advance(done)


def _embed_in_bulk(flow: _Flow, desk: "BulkClient", texts: Sequence[Text], seconds: float) -> None:
    """Send batches and wait for them; what they bring nothing for fails its batch, and is due in the next run."""
    problem = desk.submit(texts)
    for text_hashes in desk.collect(seconds=seconds):
        flow.done(text_hashes)
    waiting = desk.in_flight()
    for text in flow.left.values():
        if text.text_hash not in waiting:
            flow.outcome.problem = problem or "the service ended a batch without all of its texts; run again"
            for _, batch in text.films:
                flow.run.fail(batch, flow.outcome.problem)
