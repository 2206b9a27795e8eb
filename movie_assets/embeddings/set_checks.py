"""The checks of `movie_embeddings` by themselves: the whole set that the settings name, as it is now.

Runs of the asset evaluate the same with their own figures (`embedding_checks.py`). Nothing here calls the embedder.
"""

import dagster as dg

from movie_assets.config.prices import Budgets
from movie_assets.database.database import Database
from movie_assets.embeddings.checks import CURRENT, FINITE, WIDTH, Ran, evaluate
from movie_assets.embeddings.embedder import Embedder
from movie_assets.embeddings.forecast import BUDGET, budget_check, forecast_for
from movie_assets.embeddings.movie_embeddings import embedding_set
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.store import EmbeddingStore, texts_of
from movie_assets.runs.evaluations import evaluation_of_step
from movie_assets.runs.partitions import BATCH_COUNT
from movie_assets.runs.run_time import run_time_of


def _evaluated(
    context: dg.AssetCheckExecutionContext, database: Database, embedder: Embedder
) -> dict[str, dg.AssetCheckResult]:
    store = EmbeddingStore(database, embedding_set(database, embedder), run_time_of(context.run), context.run.run_id)
    return {result.check_name or "": result for result in evaluate(store, Ran([], []))}


@dg.asset_check(
    asset="movie_embeddings",
    description="Each vector of the set has as many dimensions as the set declares.",
)
def every_vector_has_the_declared_dimensions(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database], embedder: dg.ResourceParam[Embedder]
) -> dg.AssetCheckResult:
    """Count the vectors of another width."""
    return _evaluated(context, database, embedder)[WIDTH]


@dg.asset_check(
    asset="movie_embeddings",
    description="Each vector has length 1: none is zero, which has no cosine, and none holds NaN or infinity.",
)
def every_vector_is_finite_and_not_zero(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database], embedder: dg.ResourceParam[Embedder]
) -> dg.AssetCheckResult:
    """Count the vectors without a usable length."""
    return _evaluated(context, database, embedder)[FINITE]


@dg.asset_check(
    asset="movie_embeddings",
    description="For each film, the hash of its text today is the hash of the text that was embedded. A text that is "
    "in a batch at the service, or that the service refused and is asked for later, only warns; one that came while "
    "the run was at work is the next run's.",
)
def every_text_is_embedded_as_it_stands(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database], embedder: dg.ResourceParam[Embedder]
) -> dg.AssetCheckResult:
    """Count the films whose text is not the one that was embedded."""
    return _evaluated(context, database, embedder)[CURRENT]


@dg.asset_check(
    asset="movie_embeddings",
    description="What the texts that are due will cost fits the budgets of a run and of the day. A run evaluates it "
    "before its first request, with force for all of its texts; one that does not fit spends up to the budget and "
    "stops.",
)
def the_run_is_within_its_budgets(
    context: dg.AssetCheckExecutionContext,
    database: dg.ResourceParam[Database],
    embedder: dg.ResourceParam[Embedder],
    budgets: dg.ResourceParam[Budgets],
) -> dg.AssetCheckResult:
    """Return what the run's step found before its first request; without one, compare the cost of what is due now."""
    if of_step := evaluation_of_step(context, BUDGET):
        return of_step
    set_id, as_of = embedding_set(database, embedder), run_time_of(context.run)
    films = database.rows(
        "texts_to_embed", set_id=set_id, batches=list(range(BATCH_COUNT)), as_of=as_of, by_hand=False, force=False,
        forced_since=None,
    )  # fmt: skip
    due = texts_of(film for film in films if not film.is_in_flight)
    budget = DatabaseBudget(database, set_id, context.run.run_id, as_of, budgets)
    return budget_check(budget, forecast_for(database, embedder, set_id, due), in_bulk=False)


CHECKS = [
    the_run_is_within_its_budgets,
    every_vector_has_the_declared_dimensions,
    every_vector_is_finite_and_not_zero,
    every_text_is_embedded_as_it_stands,
]
