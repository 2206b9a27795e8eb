"""The checks of `movie_embeddings` without a run of the asset: they evaluate the set of the settings as it is now.

Runs of the asset evaluate the same checks with their own figures (`embeddings.checks`). No check calls the embedder.
"""

import dagster as dg

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.budget_check import BUDGET, budget_check, forecast_for
from movie_assets.embeddings.bulk_policy import goes_in_bulk
from movie_assets.embeddings.checks import CURRENT, FINITE, WIDTH, RunScope, evaluate
from movie_assets.embeddings.embedder import Embedder
from movie_assets.embeddings.sets import embedding_set
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.store import DueMovie, EmbeddingStore, texts_of
from movie_assets.runs.evaluations import evaluation_of_step
from movie_assets.runs.partitions import BATCH_COUNT
from movie_assets.runs.run_time import run_time_of


def _evaluated(
    context: dg.AssetCheckExecutionContext, database: Database, embedder: Embedder
) -> dict[str, dg.AssetCheckResult]:
    store = EmbeddingStore(database, embedding_set(database, embedder), run_time_of(context.run), context.run.run_id)
    return {result.check_name or "": result for result in evaluate(store, RunScope([], []))}


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
    description="For each film, the hash of its current text is the hash of the text that was embedded. A text that is "
    "in a batch at the service, or that the service refused and that is tried again later, only warns; one that came "
    "while the run was at work is embedded by the next run.",
)
def every_text_is_embedded_as_it_stands(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database], embedder: dg.ResourceParam[Embedder]
) -> dg.AssetCheckResult:
    """Count the films whose text is not the one that was embedded."""
    return _evaluated(context, database, embedder)[CURRENT]


@dg.asset_check(
    asset="movie_embeddings",
    description="The forecast cost of the texts that are due fits the budgets of a run and of the day. A run evaluates "
    "it before its first request, with force for all of its texts; a run that does not fit spends up to the budget and "
    "stops.",
)
def the_run_is_within_its_budgets(
    context: dg.AssetCheckExecutionContext,
    database: dg.ResourceParam[Database],
    embedder: dg.ResourceParam[Embedder],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """Return the result of the run's step; without a step, compare the cost of the texts that are due now."""
    if of_step := evaluation_of_step(context, BUDGET):
        return of_step
    set_id, as_of = embedding_set(database, embedder), run_time_of(context.run)
    movies = database.fetch(
        DueMovie, "texts_to_embed", set_id=set_id, batches=list(range(BATCH_COUNT)), as_of=as_of, by_hand=False,
        force=False, forced_since=None,
    )  # fmt: skip
    due = texts_of(movie for movie in movies if not movie.is_in_flight)
    budget = DatabaseBudget(database, set_id, context.run.run_id, as_of, settings.budgets)
    store = EmbeddingStore(database, set_id, as_of, context.run.run_id)
    in_bulk = goes_in_bulk(embedder, store, settings, len(due))
    return budget_check(budget, forecast_for(database, embedder, set_id, due), in_bulk=in_bulk)


CHECKS = [
    the_run_is_within_its_budgets,
    every_vector_has_the_declared_dimensions,
    every_vector_is_finite_and_not_zero,
    every_text_is_embedded_as_it_stands,
]
