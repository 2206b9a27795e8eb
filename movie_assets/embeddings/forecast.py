"""Before a run's first request: what it will cost, and whether the budgets hold that much."""

from collections.abc import Sequence

import dagster as dg

from movie_assets.database.database import Database, as_dict
from movie_assets.embeddings.embedder import Embedder, EmbedderError
from movie_assets.embeddings.forecasts import Amount, Forecast, History, forecast
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.store import Text
from movie_assets.embeddings.tokens import ByteCounter

BUDGET = "the_run_is_within_its_budgets"


def forecast_for(database: Database, embedder: Embedder, set_id: int, texts: Sequence[Text]) -> Forecast:
    """What embedding texts will cost."""
    blank = ByteCounter()
    amount = Amount(
        films=sum(len(text.films) for text in texts),
        texts=len(texts),
        text_bytes=sum(blank.count(text.text) for text in texts),
        # Bytes are a bound for limits, not a count for people.
        tokens=None
        if isinstance(embedder.counter, ByteCounter)
        else sum(embedder.counter.count(text.text) for text in texts),
    )
    history = History(**as_dict(database.row("embedding_history", set_id=set_id)))
    return forecast(amount, embedder.model, embedder.price, history, embedder.counter.says)


def require_a_price(embedder: Embedder, budget: DatabaseBudget) -> None:
    """Refuse to spend from a budget what nobody can count. Raises EmbedderError."""
    if budget.budgets.are_set and embedder.price.per_million_tokens is None:
        raise EmbedderError(
            f"a budget is set and the price of {embedder.model} is not known; "
            "set MOVIE_ASSETS_DOLLARS_PER_MILLION_TOKENS (0 if it costs nothing)"
        )


def budget_check(budget: DatabaseBudget, expected: Forecast, *, in_bulk: bool) -> dg.AssetCheckResult:
    """Whether a run fits its budgets, with figures for each model."""
    cost = expected.costs[0]
    dollars = (cost.dollars_in_bulk if in_bulk else cost.dollars) or 0.0
    left = budget.left()
    is_enough = all(dollars <= room for room in left.values())
    metadata: dict[str, dg.MetadataValue | int | float | str] = {
        "films": expected.amount.films,
        "texts": expected.amount.texts,
        "tokens": expected.tokens,
        "tokens_counted_by": expected.counted_by,
        "dollars": dollars,
        "by_model": dg.MetadataValue.md(_table(expected)),
        **{f"{name}_left": room for name, room in left.items()},
    }
    told = f"about ${dollars:.4f} for {expected.amount.texts:,} texts, and {_listed(left)}; the rest stays due"
    return dg.AssetCheckResult(
        passed=is_enough,
        check_name=BUDGET,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if is_enough else told,
        metadata=metadata,
    )


def _listed(left: dict[str, float]) -> str:
    return ", ".join(f"{name} has ${room:.4f} left" for name, room in left.items())


def _table(expected: Forecast) -> str:
    lines = ["| model | dollars | in bulk |", "|---|--:|--:|"]
    for cost in expected.costs:
        told = "not known" if cost.dollars is None else f"{cost.dollars:.4f}"
        bulk = "not known" if cost.dollars_in_bulk is None else f"{cost.dollars_in_bulk:.4f}"
        lines.append(f"| {cost.model} | {told} | {bulk} |")
    return "\n".join(lines)
