"""What a person sees at the terminal: the state of the catalogue, a day's outcome, search results.

Figures come from SQL and from Dagster's metadata; nothing is computed here but layout.
"""

import textwrap
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from movie_assets.database.database import Database, as_dict
from movie_assets.embeddings.sets import ActiveSet
from movie_assets.refresh.outcome import CheckOutcome, DayOutcome
from movie_assets.search.queries import Movie

Status = dict[str, Any]


def status_of(database: Database, as_of: datetime) -> Status:
    """The catalogue's state under the names that `status --json` promises."""
    state = as_dict(database.row("status", as_of=as_of))
    active = database.fetch_optional(ActiveSet, "active_set")
    states = database.rows("id_states")
    spending = database.row("embedding_spending", as_of=as_of)
    day = state["last_export_date"]
    return {
        "movies": state["movies"],
        "vectors": database.row("count_vectors").vectors,
        "embedding_provider": active.provider if active else None,
        "embedding_model": active.model if active else None,
        "dimensions": active.dimensions if active else None,
        "last_export_date": day.isoformat() if day else None,
        "source": state["source"],
        "ids": state["ids"],
        "candidates": state["candidates"],
        "due": state["due"],
        "rejected": {row.reason: row.ids for row in states if row.state == "rejected"},
        "funnel": [as_dict(row) for row in database.rows("funnel")],
        "gone": state["gone"],
        "failed": state["failed"],
        "tokens_embedded": state["tokens_embedded"],
        "dollars": round(state["dollars"], 6),
        "dollars_today": round(spending.dollars_today, 6),
        "texts_in_bulk": spending.texts_in_bulk,
    }


def show_status(console: Console, status: Status) -> None:
    """The state of the catalogue and the funnel that led to it."""
    table = Table(show_header=False, box=None, padding=(0, 2))
    for name in (
        "movies",
        "vectors",
        "embedding_model",
        "dimensions",
        "last_export_date",
        "source",
        "due",
        "gone",
    ):
        value = status[name]
        table.add_row(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value or "none yet"))
    today = f"${status['dollars']:.4f}, today ${status['dollars_today']:.4f}"
    table.add_row("tokens embedded", f"{status['tokens_embedded']:,} ({today})")
    if status["texts_in_bulk"]:
        table.add_row("in batches at the service", f"{status['texts_in_bulk']:,} texts")
    console.print(table)
    show_funnel(console, status["funnel"])


def show_funnel(console: Console, steps: list[Mapping[str, Any]]) -> None:
    """How many ids each rule dropped, in the order in which the rules are asked."""
    table = Table(title="From TMDB's ids to the catalogue", title_justify="left")
    for column in ("rule", "dropped", "left"):
        table.add_column(column, justify="left" if column == "rule" else "right")
    for step in steps:
        table.add_row(step["says"], f"{step['dropped']:,}" if step["step"] else "", f"{step['kept']:,}")
    console.print(table)
    if steps and steps[-1]["target"]:
        console.print(f"{steps[-1]['kept']:,} of the {steps[-1]['target']:,} films aimed at")


def show_sets(console: Console, sets: Iterable[Mapping[str, Any]]) -> None:
    """One line an embedding set."""
    table = Table(title="Embedding sets", title_justify="left")
    for column in ("set", "model", "dimensions", "template", "state", "films", "tokens", "dollars"):
        table.add_column(column, justify="left" if column in ("model", "template", "state") else "right")
    for found in sets:
        table.add_row(
            str(found["set_id"]), f"{found['provider']} {found['model']}", str(found["dimensions"]), found["template"],
            found["state"], f"{found['films_embedded']:,} of {found['films']:,}", f"{found['tokens']:,}",
            f"{found['dollars']:.4f}",
        )  # fmt: skip
    console.print(table)


def show_day(console: Console, outcome: DayOutcome) -> None:
    """What a refresh did, and what went wrong."""
    ids = outcome.figures.get("movie_ids", {})
    details = outcome.figures.get("movie_details:every_batch_is_covered", {})
    embeddings = outcome.figures.get("movie_embeddings:every_text_is_embedded_as_it_stands", {})
    vectors = outcome.figures.get("movie_vectors", {})
    table = Table(show_header=False, box=None, padding=(0, 2))
    for label, value in (
        ("ids new in TMDB's export", ids.get("new")),
        ("ids gone from it", ids.get("gone")),
        ("films due", details.get("due")),
        ("details fetched", details.get("fetched")),
        ("films new in the catalogue", details.get("added")),
        ("films changed", details.get("changed")),
        ("texts embedded", embeddings.get("texts_embedded")),
        ("tokens", embeddings.get("tokens")),
        ("films new or moved in the search", vectors.get("rows_out")),
        ("films that left the search", vectors.get("rows_removed")),
    ):
        table.add_row(label, f"{value:,}" if value is not None else "-")
    console.print(table)
    for problem in outcome.problems:
        console.print(f"[red]failed[/] {escape(problem)}", highlight=False)


def show_checks(console: Console, checks: Iterable[CheckOutcome]) -> None:
    """One line a check."""
    for check in checks:
        mark = (
            "[green]passed[/]"
            if check.passed
            else "[yellow]warns [/]"
            if check.severity == "WARN"
            else "[red]FAILED[/]"
        )
        told = f": {escape(check.description)}" if check.description and not check.passed else ""
        console.print(f"  {mark} {check.asset:<18} {check.name.replace('_', ' ')}{told}", highlight=False)


def show_answers(console: Console, answers: Iterable[Mapping[str, Any]]) -> None:
    """What became of ids that were asked for."""
    for answer in answers:
        name = f"{answer['title']} ({answer['release_year']})" if answer["title"] else ""
        why = f": {answer['reason']}" if answer["reason"] else ""
        heir = f"; TMDB has the film as {answer['successor_id']} now" if answer["successor_id"] else ""
        waiting = "" if answer["is_served"] else " (no usable answer yet; it is tried again)"
        told = f"  {answer['tmdb_id']:>9}  {answer['state']}{why}{waiting}{heir}  {name}"
        console.print(escape(told.rstrip()), highlight=False)


def show_films(console: Console, title: str, films: Iterable[Movie]) -> None:
    """Films found: what they are ordered by, title, year, director, why they were found, id; the plot below.

    Recommended films are ordered by their score, others by cosine similarity; what is found by words shows neither.
    """
    console.print(f"[bold]{escape(title)}[/]", highlight=False)
    for film in films:
        known = film._asdict()
        order = known.get("score" if "reasons" in known else "similarity")
        by_what = f"{order:.2f}  " if order is not None else ""
        why = f"  ({reasons})" if (reasons := _reasons(known)) else ""
        year = f" ({film.release_year})" if film.release_year else ""
        by = f" by {', '.join(film.directors[:2])}" if film.directors else ""
        console.print(f"  {by_what}{escape(f'{film.title}{year}{by}{why}')}  [dim]{film.tmdb_id}[/]", highlight=False)
        plot = textwrap.shorten(film.overview or "", 90, placeholder=" …")
        console.print(f"        [dim]{escape(plot)}[/]", highlight=False)


def _reasons(film: Mapping[Any, Any]) -> str:
    """Why a film is among those found: how its words matched, or what it shares with the film that led to it."""
    if film.get("found_by"):
        return ", ".join(film["found_by"])
    if film.get("reasons"):
        return _because(film["reasons"], film["directors"] or [])
    shared = film.get("shared_features") or {}
    names = [*shared.get("people", []), *shared.get("keywords", []), *shared.get("genres", [])][:3]
    like = [f"like {film['because']}"] if film.get("because") else []
    return ": ".join([*like, ", ".join(names)] if names else like)


def _because(reasons: Iterable[Mapping[str, Any]], directors: Iterable[str]) -> str:
    """Reasons of catalog.reasons_of in words: the films that speak for one, and what it shares with the first."""
    named = [reason for reason in reasons if reason["title"]]
    because = [
        f"you {how} {', '.join(titles)}"
        for how in ("loved", "liked")
        if (titles := [reason["title"] for reason in named if reason["how"] == how])
    ]
    shared: Mapping[str, Any] = next((reason["shared"] for reason in named if reason["shared"]), {})
    people = shared.get("people", [])
    told = [f"because {' and '.join(because)}"] if because else []
    if others := [name for name in people if name not in directors][:2]:
        told.append(f"with {', '.join(others)}")
    if makers := [name for name in people if name in directors][:2]:
        told.append(f"by {', '.join(makers)}")
    if not people and (both := [*shared.get("keywords", []), *shared.get("genres", [])][:3]):
        told.append(f"also {', '.join(both)}")
    return "; ".join(told[:1]) + ("; " if told[1:] else "") + ", ".join(told[1:])


def film_as_json(film: Movie) -> Mapping[str, Any]:
    """A film found, for programs."""
    return {
        name: round(value, 6) if name in ("similarity", "score") and value is not None else value
        for name, value in film._asdict().items()
    }
