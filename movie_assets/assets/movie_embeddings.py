"""Stage 4: a vector for each film whose text is not the one that was embedded.

What the text is belongs to `core.text`; what an answer leaves in the database, to `embedding_store`; batches at half
the price, to `bulk_embedding`; what may be searched, to `movie_vectors`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import dagster as dg

from movie_assets.assets.batches import BatchRun
from movie_assets.assets.embedding_checks import CHECKS, evaluate
from movie_assets.assets.embedding_forecast import BUDGET, budget_check, forecast_for, require_a_price
from movie_assets.assets.embedding_store import EmbeddingStore, Text, texts_of
from movie_assets.core.prices import Budgets
from movie_assets.core.text import TEMPLATE
from movie_assets.moment import is_by_hand, moment_of
from movie_assets.partitions import batches
from movie_assets.resources.embedder import Embedder, EmbedderError
from movie_assets.resources.postgres import Database
from movie_assets.resources.spending import DatabasePurse


@dg.asset(
    group_name="catalogue",
    kinds={"python", "openai", "postgres"},
    partitions_def=batches,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=["movie_details"],
    check_specs=[BUDGET, *CHECKS],
    output_required=False,
    pool="embedder",
)
def movie_embeddings(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    embedder: dg.ResourceParam[Embedder],
    budgets: dg.ResourceParam[Budgets],
) -> Iterator[dg.AssetCheckResult]:
    """A film's vector in an embedding set, with the hash of the text that it was made from.

    Provider, model, dimensions and template name a set: after a change of any of them vectors are made for a
    new set, and the old one goes on being searched until the new one covers the catalogue.
    """
    set_id, moment = embedding_set(database, embedder), moment_of(context.run)
    store = EmbeddingStore(database, set_id, moment, context.run.run_id)
    purse = DatabasePurse(database, set_id, context.run.run_id, moment, budgets)
    run = BatchRun(context, "texts", store.content)
    with database.batch_locks(run.batches, "movie_embeddings") as ours:
        run.exclude_locked(ours)
        database.execute("forget_reservations", moment=moment)
        database.execute("drop_damaged_vectors", set_id=set_id, batches=sorted(ours))
        films = database.rows(
            "texts_to_embed", set_id=set_id, batches=sorted(ours), moment=moment, by_hand=is_by_hand(context.run)
        )
        texts = texts_of(film for film in films if not film.is_in_flight)
        yield budget_check(purse, forecast_for(database, embedder, set_id, texts), in_bulk=False)
        run.plan(
            (batch for text in texts for _, batch in text.films), {film.batch for film in films if film.is_in_flight}
        )
        try:
            require_a_price(embedder, purse)
            _embed(embedder, purse, store, run, texts)
        except EmbedderError as error:
            run.fail_unfinished(str(error))
    totals = store.totals
    context.log.info(f"{totals.texts:,} texts embedded, {totals.tokens:,} tokens, ${totals.dollars:.4f}")
    yield from evaluate(store)
    run.raise_if_failed()


def embedding_set(database: Database, embedder: Embedder) -> int:
    """The number of the set that an embedder's vectors belong to."""
    set_id: int = database.row(
        "ensure_set",
        provider=embedder.provider,
        model=embedder.model,
        dimensions=embedder.dimensions,
        template=TEMPLATE,
    ).set_id
    return set_id


def _embed(
    embedder: Embedder, purse: DatabasePurse, store: EmbeddingStore, run: BatchRun, texts: Sequence[Text]
) -> None:
    """Store each answer as it arrives, while the next requests are in flight."""
    films_by_batch = Counter(batch for text in texts for _, batch in text.films)
    for part in embedder.stream([text.text for text in texts], purse):
        done = store.keep(part, texts)
        for batch, problem in store.batches_beyond_bearing(films_by_batch).items():
            run.fail(batch, problem)
        run.advance(done)
