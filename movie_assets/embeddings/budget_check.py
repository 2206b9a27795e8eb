"""The check before a run's first request: compares the forecast of its cost with the budgets."""

from collections.abc import Sequence

import dagster as dg

from movie_assets.database.database import Database
from movie_assets.embeddings.cost_forecast import Amount, Forecast, History, forecast
from movie_assets.embeddings.embedder import Embedder, EmbedderError
from movie_assets.embeddings.preflight import Preflight
from movie_assets.embeddings.registry import published_prices
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.store import Text
from movie_assets.embeddings.tokens import ByteCounter
from movie_assets.runs.metadata_tables import shown_table

BUDGET = "the_run_is_within_its_budgets"


def forecast_for(database: Database, embedder: Embedder, set_id: int, texts: Sequence[Text]) -> Forecast:
    """Return the forecast of the cost of embedding texts, which learns from what the set's service charged so far."""
    bytes_of = ByteCounter().count
    # Bytes are an upper bound, good for limits; a forecast for people needs a count or an estimate.
    is_counted = not isinstance(embedder.counter, ByteCounter)
    amount = Amount(
        films=sum(len(text.films) for text in texts),
        texts=len(texts),
        text_bytes=sum(bytes_of(text.text) for text in texts),
        tokens=sum(embedder.counter.count(text.text) for text in texts) if is_counted else None,
    )
    history = database.fetch_one(History, "embedding_history", set_id=set_id)
    return forecast(amount, embedder.model, embedder.price, history, embedder.counter.description, published_prices())


def require_a_price(embedder: Embedder, budget: DatabaseBudget) -> None:
    """Raise EmbedderError if a budget is set and the price of the model is not known."""
    if budget.budgets.are_set and embedder.price.per_million_tokens is None:
        raise EmbedderError(
            f"a budget is set and the price of {embedder.model} is not known; "
            "set MOVIE_ASSETS_DOLLARS_PER_MILLION_TOKENS (0 if it costs nothing)"
        )


def budget_check(
    budget: DatabaseBudget, expected: Forecast, *, in_bulk: bool, flight: Preflight | None = None
) -> dg.AssetCheckResult:
    """Return whether a forecast fits the budgets, with the cost for each model and what a pre-flight showed."""
    cost = expected.costs[0]
    dollars = (cost.dollars_in_bulk if in_bulk else cost.dollars) or 0.0
    remaining = budget.remaining()
    is_enough = all(dollars <= room for room in remaining.values())
    metadata: dict[str, dg.MetadataValue | int | float | str] = {
        "films": expected.amount.films,
        "texts": expected.amount.texts,
        "tokens": expected.tokens,
        "tokens_counted_by": expected.counted_by,
        "dollars": dollars,
        "by_model": _table(expected),
        **(flight.metadata if flight else {}),
        **{f"{name}_left": room for name, room in remaining.items()},
    }
    budgets = ", ".join(f"{name} has ${room:.4f} left" for name, room in remaining.items())
    problem = f"about ${dollars:.4f} for {expected.amount.texts:,} texts, and {budgets}; the rest stays due"
    return dg.AssetCheckResult(
        passed=is_enough,
        check_name=BUDGET,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if is_enough else problem,
        metadata=metadata,
    )


def _table(expected: Forecast) -> dg.TableMetadataValue:
    return shown_table(
        ("model", "dollars", "in bulk"),
        [(cost.model, _amount(cost.dollars), _amount(cost.dollars_in_bulk)) for cost in expected.costs],
    )


def _amount(dollars: float | None) -> str:
    return "not known" if dollars is None else f"{dollars:.4f}"
