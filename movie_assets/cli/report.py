"""Prints the catalogue's state, the outcome of a refresh or of requests, and embedding sets, for people at a terminal.

The figures come from SQL and from Dagster's metadata. Nothing is computed here; `report_films` prints films.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from movie_assets.catalog.id_counts import FunnelStep, IdState
from movie_assets.database.database import Database
from movie_assets.embeddings.sets import ActiveSet, SetProgress
from movie_assets.refresh.outcome import CheckOutcome, DayOutcome


class CatalogueCounts(NamedTuple):
    """Counts of titles and ids of a media type, its newest export, and the tokens and dollars of all embeddings."""

    titles: int
    last_export_date: date | None
    source: str | None
    due: int
    ids: int
    gone: int
    failed: int
    candidates: int
    tokens_embedded: int
    dollars: float


class EmbeddingSpending(NamedTuple):
    """The US dollars that embeddings cost today (UTC), and the number of texts in bulk jobs at the service."""

    dollars_today: float
    texts_in_bulk: int


class FailedStep(NamedTuple):
    """A step whose newest run failed, when, and why."""

    step: str
    reason: str | None
    ended_at: datetime


class SeriesStatus(NamedTuple):
    """The state of the series of the catalogue, with the meaning of the same keys of movies."""

    series: int
    last_export_date: str | None
    ids: int
    candidates: int
    due: int
    rejected: dict[str | None, int]
    funnel: list[FunnelStep]
    gone: int
    failed: int


class Status(NamedTuple):
    """The state of the catalogue: the fields are the keys that `movie-assets status --json` prints.

    Numbers of ids and titles are those of movies. `series` is None, and no key, until series were read.
    """

    movies: int
    vectors: int
    embedding_provider: str | None
    embedding_model: str | None
    dimensions: int | None
    last_export_date: str | None
    source: str | None
    ids: int
    candidates: int
    due: int
    rejected: dict[str | None, int]
    funnel: list[FunnelStep]
    gone: int
    failed: int
    tokens_embedded: int
    dollars: float
    dollars_today: float
    texts_in_bulk: int
    problems: list[FailedStep]
    series: SeriesStatus | None = None

    def as_json(self) -> dict[str, object]:
        """Return the fields as JSON values; a step of the funnel and a problem are objects."""
        problems = [{**each._asdict(), "ended_at": each.ended_at.isoformat()} for each in self.problems]
        values = self._asdict() | {"funnel": [step._asdict() for step in self.funnel], "problems": problems}
        series = values.pop("series")
        if series is not None:
            values["series"] = series._asdict() | {"funnel": [step._asdict() for step in series.funnel]}
        return values


class RequestOutcome(NamedTuple):
    """The state of an id that was requested, with the title of the film or series if it is in the catalogue.

    `is_served` is false while TMDB has given no usable response. `successor_id` is set when TMDB merged the title into
    another one.
    """

    tmdb_id: int
    title: str | None
    release_year: int | None
    state: str
    reason: str | None
    is_served: bool
    successor_id: int | None
    media_type: str

    def as_json(self) -> dict[str, object]:
        """Return the fields that `movie-assets fetch --json` prints."""
        return self._asdict()


def status_of(database: Database, as_of: datetime) -> Status:
    """Return the state of the catalogue; `as_of` decides which films are due and which day's cost is today's."""
    counts = database.fetch_one(CatalogueCounts, "status", media="movie", as_of=as_of)
    spending = database.fetch_one(EmbeddingSpending, "embedding_spending", as_of=as_of)
    active = database.fetch_optional(ActiveSet, "active_set")
    return Status(
        movies=counts.titles,
        vectors=database.fetch_value(int, "count_vectors"),
        embedding_provider=active.provider if active else None,
        embedding_model=active.model if active else None,
        dimensions=active.dimensions if active else None,
        last_export_date=counts.last_export_date.isoformat() if counts.last_export_date else None,
        source=counts.source,
        ids=counts.ids,
        candidates=counts.candidates,
        due=counts.due,
        rejected=_rejected(database, "movie"),
        funnel=database.fetch(FunnelStep, "funnel", media="movie"),
        gone=counts.gone,
        failed=counts.failed,
        tokens_embedded=counts.tokens_embedded,
        dollars=round(counts.dollars, 6),
        dollars_today=round(spending.dollars_today, 6),
        texts_in_bulk=spending.texts_in_bulk,
        problems=database.fetch(FailedStep, "steps_that_failed"),
        series=_series_of(database, as_of),
    )


def _series_of(database: Database, as_of: datetime) -> SeriesStatus | None:
    counts = database.fetch_one(CatalogueCounts, "status", media="series", as_of=as_of)
    if counts.last_export_date is None:
        return None
    return SeriesStatus(
        series=counts.titles,
        last_export_date=counts.last_export_date.isoformat(),
        ids=counts.ids,
        candidates=counts.candidates,
        due=counts.due,
        rejected=_rejected(database, "series"),
        funnel=database.fetch(FunnelStep, "funnel", media="series"),
        gone=counts.gone,
        failed=counts.failed,
    )


def _rejected(database: Database, media: str) -> dict[str | None, int]:
    states = database.fetch(IdState, "id_states", media=media)
    return {row.reason: row.ids for row in states if row.state == "rejected"}


def show_status(console: Console, status: Status) -> None:
    """Print the state of the catalogue, and the funnel of ids that led to it."""
    table = Table(show_header=False, box=None, padding=(0, 2))
    shown: tuple[tuple[str, int | str | None], ...] = (
        ("movies", status.movies),
        *([("series", status.series.series)] if status.series else []),
        ("vectors", status.vectors),
        ("embedding model", status.embedding_model),
        ("dimensions", status.dimensions),
        ("last export date", status.last_export_date),
        ("source", source_for_people(status.source)),
        ("due", status.due + (status.series.due if status.series else 0)),
        ("deleted at TMDB", status.gone + (status.series.gone if status.series else 0)),
    )
    for label, value in shown:
        table.add_row(label, f"{value:,}" if isinstance(value, int) else value or "none yet")
    cost = f"${status.dollars:.4f}, today ${status.dollars_today:.4f}"
    table.add_row("tokens embedded", f"{status.tokens_embedded:,} ({cost})")
    if status.texts_in_bulk:
        table.add_row("in batches at the service", f"{status.texts_in_bulk:,} texts")
    console.print(table)
    show_funnel(console, status.funnel)
    if status.series:
        show_funnel(console, status.series.funnel, "series")
    for problem in status.problems:
        reason = " ".join((problem.reason or "no reason was recorded").split())
        line = f"the last run of {problem.step} ({problem.ended_at:%Y-%m-%d %H:%M} UTC): {reason}"
        console.print(f"[red]failed[/] {escape(line)}", highlight=False)


def source_for_people(source: str | None) -> str | None:
    """Return the source of the export as messages name it; the stored word is older."""
    return source.replace("stand-in", "TMDB emulator", 1) if source else source


def show_funnel(console: Console, steps: Sequence[FunnelStep], of: str = "") -> None:
    """Print the number of ids that each rule dropped and kept, in the order of the rules."""
    title = f"From TMDB's ids of {of} to the catalogue" if of else "From TMDB's ids to the catalogue"
    table = Table(title=title, title_justify="left")
    for column in ("rule", "dropped", "left"):
        table.add_column(column, justify="left" if column == "rule" else "right")
    for step in steps:
        table.add_row(step.says, f"{step.dropped:,}" if step.step else "", f"{step.kept:,}")
    console.print(table)
    if steps and steps[-1].target:
        console.print(f"{steps[-1].kept:,} of the {steps[-1].target:,} {of or 'films'} aimed at")


def show_sets(console: Console, sets: Iterable[SetProgress]) -> None:
    """Print a table with a line for each embedding set."""
    table = Table(title="Embedding sets", title_justify="left")
    for column in ("set", "model", "dimensions", "template", "state", "films", "tokens", "dollars"):
        table.add_column(column, justify="left" if column in ("model", "template", "state") else "right")
    for row in sets:
        table.add_row(
            str(row.set_id), f"{row.provider} {row.model}", str(row.dimensions), row.template, row.state,
            f"{row.films_embedded:,} of {row.films:,}", f"{row.tokens:,}", f"{row.dollars:.4f}",
        )  # fmt: skip
    console.print(table)


def show_day(console: Console, outcome: DayOutcome) -> None:
    """Print the figures of a refresh and its problems."""
    ids = outcome.figures.get("movie_ids", {})
    details = outcome.figures.get("movie_details:every_batch_is_covered", {})
    embeddings = outcome.figures.get("movie_embeddings:every_text_is_embedded_as_it_stands", {})
    vectors = outcome.figures.get("movie_vectors", {})
    table = Table(show_header=False, box=None, padding=(0, 2))
    for label, value in (
        ("ids new in TMDB's export", ids.get("new")),
        ("ids no longer in it", ids.get("gone")),
        ("films due", details.get("due")),
        ("details fetched", details.get("fetched")),
        ("films new in the catalogue", details.get("added")),
        ("films changed", details.get("changed")),
        ("texts embedded", embeddings.get("texts_embedded")),
        ("tokens", embeddings.get("tokens")),
        ("vectors new or changed in searches", vectors.get("rows_out")),
        ("vectors removed from searches", vectors.get("rows_removed")),
    ):
        table.add_row(label, f"{value:,}" if value is not None else "-")
    console.print(table)
    for problem in outcome.problems:
        console.print(f"[red]failed[/] {escape(problem)}", highlight=False)


def show_checks(console: Console, checks: Iterable[CheckOutcome]) -> None:
    """Print a line for each check: its result, asset and name, and why it did not pass."""
    for check in checks:
        mark = (
            "[green]passed[/]"
            if check.passed
            else "[yellow]warns [/]"
            if check.severity == "WARN"
            else "[red]FAILED[/]"
        )
        # A check without anything to compare passes, and says so.
        reason = f": {escape(check.description)}" if check.description else ""
        console.print(f"  {mark} {check.asset:<18} {check.name.replace('_', ' ')}{reason}", highlight=False)


def show_requests(console: Console, outcomes: Iterable[RequestOutcome]) -> None:
    """Print a line for each requested id: its state, the reason, and the film's title."""
    for outcome in outcomes:
        title = f"{outcome.title} ({outcome.release_year})" if outcome.title else ""
        reason = f": {outcome.reason}" if outcome.reason else ""
        merged = f"; TMDB has it as {outcome.successor_id} now" if outcome.successor_id else ""
        waiting = "" if outcome.is_served else " (no usable response yet; it will be tried again)"
        line = f"  {outcome.tmdb_id:>9}  {outcome.state}{reason}{waiting}{merged}  {title}"
        console.print(escape(line.rstrip()), highlight=False)
