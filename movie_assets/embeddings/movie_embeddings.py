"""Stage 4: a vector for each film whose text is not the one that was embedded.

The text is composed by `catalog.embedding_text`; results are stored by `embeddings.store`; the service's Batch API is
used through `bulk_embedding`; the vectors that searches see are those of `search.movie_vectors`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.budget_check import budget_check, forecast_for, require_a_price
from movie_assets.embeddings.checks import RunScope, evaluate
from movie_assets.embeddings.embedder import Embedder, EmbedderError
from movie_assets.embeddings.outcome import Outcome, recorded
from movie_assets.embeddings.preflight import Preflight, require_no_refusal
from movie_assets.embeddings.run_preflight import preflight_of_run
from movie_assets.embeddings.sets import embedding_set
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.store import DueMovie, EmbeddingStore, Text, texts_of
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
        "the batches for which this one did not wait.",
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
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.AssetCheckEvaluation | dg.Output[None]]:
    """A film's vector in an embedding set, with the hash of the text from which it was made.

    Provider, model, dimensions and template name a set: after a change of any of them vectors are made for a
    new set, and the old one is searched until the new one covers the catalogue. Launched with the config
    `force: true`, a run embeds every text of its batches again.
    """
    set_id, as_of = embedding_set(database, embedder), run_time_of(context.run)
    store = EmbeddingStore(database, set_id, as_of, context.run.run_id)
    budget = DatabaseBudget(database, set_id, context.run.run_id, as_of, settings.budgets)
    run = BatchRun(context, "texts", store.contents)
    with database.batch_locks(run.batches, "movie_embeddings") as ours:
        run.exclude_locked(ours)
        database.execute("forget_reservations", as_of=as_of)
        database.execute("drop_damaged_vectors", set_id=set_id, batches=sorted(ours))
        movies = _movies_to_embed(context, config, store, ours)
        due = texts_of(movie for movie in movies if not movie.is_in_flight)
        expected = forecast_for(database, embedder, set_id, due)
        flight = preflight_of_run(embedder, budget, store, due, expected, context.log.info)
        yield evaluation_of(context, budget_check(budget, expected, in_bulk=config.bulk, flight=flight))
        store.plan(ours, len(movies))
        run.plan(movie.batch for movie in movies)
        state = _RunState(embedder, budget, store, run, texts_of(movies), expected.bytes_per_token)
        with recorded(state.outcome, context.log.warning):
            _embed_or_fail(state, config, context.log.info, flight)
    totals = store.totals
    context.log.info(f"{totals.texts:,} texts embedded, {totals.tokens:,} tokens, ${totals.dollars:.4f}")
    for result in evaluate(store, RunScope(sorted(ours), [movie.text_hash for movie in movies])):
        yield evaluation_of(context, result)
    yield from run.end()


def _movies_to_embed(
    context: dg.AssetExecutionContext, config: EmbeddingConfig, store: EmbeddingStore, batch_numbers: Iterable[int]
) -> list[DueMovie]:
    movies = store.database.fetch(
        DueMovie, "texts_to_embed", set_id=store.set_id, batches=sorted(batch_numbers), as_of=store.as_of,
        by_hand=is_by_hand(context.run), force=config.force,
        forced_since=went_on_since(context.instance, context.run),
    )  # fmt: skip
    forced = sum(movie.is_forced for movie in movies)
    context.log.info(what_is_done("embedding", "texts", len(movies) - forced, forced if config.force else None))
    return movies


@dataclass
class _RunState:
    """The texts of a run, and in `remaining` those without a result yet, by their hash."""

    embedder: Embedder
    budget: DatabaseBudget
    store: EmbeddingStore
    run: BatchRun
    texts: Sequence[Text]
    bytes_per_token: float

    def __post_init__(self) -> None:
        self.remaining = {text.text_hash: text for text in self.texts}
        self.outcome = Outcome(self.store, self.texts)

    def done(self, text_hashes: Iterable[str]) -> None:
        """Count texts of a bulk job as done; texts of other runs' films are ignored."""
        ours = [self.remaining.pop(each) for each in text_hashes if each in self.remaining]
        self.run.advance(batch for text in ours for _, batch in text.films)


def _embed_or_fail(
    state: _RunState, config: EmbeddingConfig, log: Callable[[str], None], flight: Preflight | None
) -> None:
    """Embed the texts that are due; if the service or a budget ends this early, fail the unfinished batches."""
    try:
        require_a_price(state.embedder, state.budget)
        require_no_refusal(flight)
        _embed_as_configured(state, config, log)
    except EmbedderError as error:
        state.outcome.problem = str(error)
        state.run.fail_unfinished(str(error))


def _embed_as_configured(state: _RunState, config: EmbeddingConfig, log: Callable[[str], None]) -> None:
    """Collect the results of bulk jobs, then embed the other texts, at once or in bulk."""
    bulk_api = state.embedder.bulk_api
    if bulk_api is None:
        _embed(state, list(state.remaining.values()))
        return
    from movie_assets.embeddings.bulk_embedding import BulkClient  # noqa: PLC0415  # openai takes half a second

    client = BulkClient(state.embedder, bulk_api, state.store, state.budget, log, state.bytes_per_token)
    # Two runs must not collect the same job, or mistake a job that the other is just sending for a dead run's.
    with state.store.database.batch_locks([0], "embedding_batches") as locked:
        if locked:
            for text_hashes in client.collect(seconds=0):
                state.done(text_hashes)
        in_flight = client.in_flight()
        texts = [text for text in state.remaining.values() if text.text_hash not in in_flight]
        if not config.bulk:
            _embed(state, texts)
        elif locked:
            _embed_in_bulk(state, client, texts, 60 * config.wait_minutes)
        elif texts:
            # This is not recorded as a problem of the outcome, as the service has nothing to do with it.
            state.run.fail_unfinished("another run is busy with batches at the service; run again when it has ended")
    if in_flight := client.in_flight():
        log(f"{len(in_flight):,} texts are in batches at the service; a later run collects them")


def _embed(state: _RunState, texts: Sequence[Text]) -> None:
    """Store each result chunk as it arrives, while the next requests are in flight."""
    movies_by_batch = Counter(batch for text in state.texts for _, batch in text.films)
    for chunk in state.embedder.stream([text.text for text in texts], state.budget, state.bytes_per_token):
        done = state.store.store(chunk, texts)
        for batch, problem in state.store.batches_with_too_many_rejects(movies_by_batch).items():
            state.run.fail(batch, problem)
        state.run.advance(done)


def _embed_in_bulk(state: _RunState, client: "BulkClient", texts: Sequence[Text], seconds: float) -> None:
    """Send texts in bulk jobs and wait for their results; a text without a result fails its batch and stays due."""
    problem = client.submit(texts)
    for text_hashes in client.collect(seconds=seconds):
        state.done(text_hashes)
    in_flight = client.in_flight()
    for text in state.remaining.values():
        if text.text_hash not in in_flight:
            state.outcome.problem = problem or "the service ended a batch without all of its texts; run again"
            for _, batch in text.films:
                state.run.fail(batch, state.outcome.problem)
