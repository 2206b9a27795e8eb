"""Stage 4: a vector for each film whose text is not the one that was embedded.

The text is composed by `catalog.embedding_text`; results are stored by `embeddings.store`; the service's Batch API is
used through `bulk_run`; the vectors that searches see are those of `search.movie_vectors`.
"""

from collections.abc import Iterable, Iterator

import dagster as dg
from pydantic import Field

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.budget_check import budget_check, forecast_for, require_a_price
from movie_assets.embeddings.bulk_policy import goes_in_bulk
from movie_assets.embeddings.checks import RunScope, evaluate
from movie_assets.embeddings.embedder import Embedder, EmbedderError
from movie_assets.embeddings.embedding_run import EmbeddingRun
from movie_assets.embeddings.outcome import recorded
from movie_assets.embeddings.preflight import Preflight, preflight_of_run, require_no_refusal
from movie_assets.embeddings.sets import embedding_set
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.store import DueMovie, EmbeddingStore, texts_of
from movie_assets.runs.batch_runs import NO_VALUE, BatchRun, ForceConfig, what_is_done
from movie_assets.runs.evaluations import evaluation_of
from movie_assets.runs.partitions import batches
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import is_by_hand, run_time_of, went_on_since


class EmbeddingConfig(ForceConfig):
    """How to embed."""

    bulk: bool = Field(
        default=False,
        description="Through the service's Batch API, however few texts wait: half the price, within a day. A later "
        "run of any kind collects the batches for which this one did not wait.",
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
        in_bulk = config.bulk or goes_in_bulk(embedder, store, settings, len(due))
        yield evaluation_of(context, budget_check(budget, expected, in_bulk=in_bulk, flight=flight))
        store.plan(ours, len(movies))
        run.plan(movie.batch for movie in movies)
        work = EmbeddingRun(embedder, budget, store, run, texts_of(movies), expected.bytes_per_token, context.log.info)
        with recorded(work.outcome, context.log.warning):
            _embed_or_fail(work, config, settings, flight)
    totals = store.totals
    context.log.info(f"{totals.texts:,} texts embedded, {totals.tokens:,} tokens, ${totals.dollars:.4f}")
    for result in evaluate(store, RunScope(sorted(ours), [movie.text_hash for movie in movies], work.outcome.problem)):
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


def _embed_or_fail(run: EmbeddingRun, config: EmbeddingConfig, settings: Settings, flight: Preflight | None) -> None:
    """Embed the texts that are due; if the service or a budget ends this early, fail the unfinished batches."""
    try:
        require_a_price(run.embedder, run.budget)
        require_no_refusal(flight)
        bulk_api = run.embedder.bulk_api
        if bulk_api is None:
            run.embed_at_once(list(run.remaining.values()))
            return
        from movie_assets.embeddings.bulk_run import BulkChoice, embed_with_bulk  # noqa: PLC0415  # takes half a second

        embed_with_bulk(run, bulk_api, BulkChoice(config.bulk, 60 * config.wait_minutes, settings))
    except EmbedderError as error:
        run.outcome.problem = str(error)
        run.batches.fail_unfinished(str(error))
