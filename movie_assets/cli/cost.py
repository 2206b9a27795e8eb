"""`movie-assets cost`: the forecast cost of embedding, computed without any request.

`embeddings.cost_forecast` computes it. A check of each run reports the same forecast before the first request.
"""

from dataclasses import asdict
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.budget_check import forecast_for
from movie_assets.embeddings.cost_forecast import Forecast
from movie_assets.embeddings.embedder import Embedder, set_key
from movie_assets.embeddings.registry import embedder_from
from movie_assets.embeddings.sets import SetId
from movie_assets.embeddings.store import Text, texts_of

NO_SET = -1  # no set has this number, so every text is due


class TextToCount(NamedTuple):
    """A movie with a text whose cost is forecast."""

    tmdb_id: int
    batch: int
    text_hash: str
    embedding_text: str


def cost_of(database: Database, settings: Settings, *, all_films: bool) -> Forecast:
    """Return the cost of embedding the texts that are due in the set of the settings, or all texts in a new set."""
    embedder = embedder_from(settings)
    set_id, texts = due_texts(database, embedder, all_films=all_films)
    return forecast_for(database, embedder, set_id, texts)


def due_texts(database: Database, embedder: Embedder, *, all_films: bool) -> tuple[int, list[Text]]:
    """Return the number of an embedder's set, and the texts that are due in it or all texts."""
    existing = database.fetch_optional(SetId, "find_set", **set_key(embedder))
    set_id = existing.set_id if existing else NO_SET
    return set_id, texts_of(database.fetch(TextToCount, "texts_to_count", set_id=set_id, all_films=all_films))


def as_json(expected: Forecast, settings: Settings, *, all_films: bool) -> dict[str, object]:
    """Return the forecast under the keys of `movie-assets cost --json`."""
    return {
        "scope": "all" if all_films else "due",
        "films": expected.amount.films,
        "texts": expected.amount.texts,
        "tokens": expected.tokens,
        "tokens_counted_by": expected.counted_by,
        "models": [asdict(cost) for cost in expected.costs],
        "run_dollars": settings.run_dollars or None,
        "daily_dollars": settings.daily_dollars or None,
    }


def show(console: Console, expected: Forecast, *, all_films: bool) -> None:
    """Print the forecast for people; the model of the settings comes first."""
    scope = "a complete new set" if all_films else "texts that are due now"
    amount = expected.amount
    console.print(f"[bold]{scope}[/]: {amount.films:,} films, {amount.texts:,} texts, about {expected.tokens:,} tokens")
    console.print(f"tokens: {escape(expected.counted_by)}", highlight=False)
    table = Table(box=None, padding=(0, 2))
    for column in ("model", "dollars", "in bulk"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for cost in expected.costs:
        table.add_row(escape(cost.model), _dollars(cost.dollars), _dollars(cost.dollars_in_bulk))
    console.print(table)
    if expected.dollars is None:
        console.print("The price is not known; set MOVIE_ASSETS_DOLLARS_PER_MILLION_TOKENS.", highlight=False)


def _dollars(dollars: float | None) -> str:
    return "not known" if dollars is None else f"${dollars:,.4f}"
