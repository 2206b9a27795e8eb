"""`movie-assets cost`: the forecast cost of embedding, computed without any request.

`embeddings.cost_forecast` computes it. A check of each run reports the same forecast before the first request.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.budget_check import forecast_for
from movie_assets.embeddings.bulk_policy import may_go_in_bulk
from movie_assets.embeddings.bulk_progress import BulkJobState, described
from movie_assets.embeddings.cost_forecast import Forecast
from movie_assets.embeddings.embedder import Embedder, set_key
from movie_assets.embeddings.registry import embedder_from
from movie_assets.embeddings.sets import SetId
from movie_assets.embeddings.store import Text, texts_of

NO_SET = -1  # no set has this number, so every text is due


class TextToCount(NamedTuple):
    """A movie with a text whose cost is forecast."""

    title_id: int
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


@dataclass(frozen=True)
class Bulk:
    """Whether texts go in bulk by the setting, and the bulk jobs at the service or ended without being completed."""

    above_texts: int
    is_used: bool
    jobs: Sequence[BulkJobState]


def bulk_of(database: Database, settings: Settings, expected: Forecast) -> Bulk:
    """Return whether the texts of a forecast go in bulk, and the state of the jobs that were sent."""
    is_used = settings.goes_in_bulk(expected.amount.texts) and may_go_in_bulk(embedder_from(settings), settings)
    jobs = database.fetch(BulkJobState, "bulk_jobs_at_service", as_of=datetime.now(UTC))
    return Bulk(settings.bulk_above_texts, is_used, jobs)


def image_calls(database: Database, settings: Settings) -> int:
    """Return the number of calls to TMDB for images that are due, or that would be if images were switched on."""
    return database.fetch_value(
        int, "count_images_due", as_of=datetime.now(UTC), media=list(settings.media_types),
        languages=list(settings.languages),
    )  # fmt: skip


def show_image_calls(console: Console, calls: int, settings: Settings) -> None:
    """Print for people how many calls images take now."""
    verb = "take" if settings.images else "are off; MOVIE_ASSETS_IMAGES=on would take"
    minutes = f", about {calls / settings.tmdb_rate / 60:,.0f} minutes" if settings.tmdb_rate else ""
    console.print(f"images {verb} {calls:,} calls to TMDB now{minutes}", highlight=False)


def as_json(expected: Forecast, settings: Settings, bulk: Bulk, *, all_films: bool) -> dict[str, object]:
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
        "bulk_above_texts": bulk.above_texts or None,
        "in_bulk": bulk.is_used,
        "bulk_jobs": [
            {name: value.isoformat() if isinstance(value, datetime) else value for name, value in job._asdict().items()}
            for job in bulk.jobs
        ],
    }


def show(console: Console, expected: Forecast, bulk: Bulk, *, all_films: bool) -> None:
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
    if bulk.is_used:
        console.print(f"In bulk, as more wait than MOVIE_ASSETS_BULK_ABOVE_TEXTS={bulk.above_texts}.", highlight=False)
    for job in bulk.jobs:
        console.print(f"{escape(described(job))}, sent {job.sent_at:%Y-%m-%d %H:%M} UTC", highlight=False)
    if expected.dollars is None:
        console.print("The price is not known; set MOVIE_ASSETS_DOLLARS_PER_MILLION_TOKENS.", highlight=False)


def _dollars(dollars: float | None) -> str:
    return "not known" if dollars is None else f"${dollars:,.4f}"
