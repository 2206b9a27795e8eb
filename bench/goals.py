"""The goals of speed as a table: what was wanted, what the code before took, what today's takes.

Both are read from the figures of the other benchmarks: results/*.json, and results/before/*.json, which
`all.py --before DIR` writes by running today's benchmarks on the code of an earlier checkout.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).parent / "results"
BEFORE = RESULTS / "before"
INDEXED = "(tuned)"  # in the number of visited films of the rows that searches have as they are


class Goal(NamedTuple):
    """What is measured, by which benchmark, the goal in words, and how to read the figure."""

    work: str
    bench: str
    goal: str
    read: Callable[[Any], float]


def build(read: Callable[[dict[str, Any]], float]) -> Callable[[Any], float]:
    """Read a figure of the full build."""
    return lambda figures: read(figures["runs"]["full build"])


def question(kind: str, figure: str) -> Callable[[Any], float]:
    """Read a figure of searches by words."""
    return lambda figures: next(
        row[figure] for row in figures["figures"] if row.get("function") == "search_movies" and row["question"] == kind
    )


def named(place: int) -> Callable[[Any], float]:
    """Read the median of recommendations for the so manyth number of named films."""
    return lambda figures: figures["figures"][place]["p50_ms"]


def curve(films: int, figure: str, worst: Callable[..., float]) -> Callable[[Any], float]:
    """Read the worst figure of searches of so many films, as they are: built, and after the days."""
    return lambda figures: worst(
        row[figure]
        for row in figures["rows"]
        if row["films"] == films and (row["visited"] == "all" or INDEXED in row["visited"])
    )


def first_search(films: int) -> Callable[[Any], float]:
    """Read the processor time of the first search after a restart."""
    return lambda figures: next(
        row["cpu_ms"] for row in figures["first_after_restart"] if row["films"] == films and row["search"] == "first"
    )


GOALS = (
    Goal("recommendations, 2 named films, p50 ms", "recommending_live", "< 15", named(0)),
    Goal("recommendations, 10 named films, p50 ms", "recommending_live", "< 15", named(1)),
    Goal("recommendations, 100 named films, p50 ms", "recommending_live", "< 25", named(2)),
    Goal(
        "similar lists of a full build, ms a film, by the clock", "full_build", "≤ 1.5 (of CPU)",
        lambda f: 1000 * f["seconds_by_step"]["full build"]["similar_movies"]
        / f["runs"]["full build"]["texts_embedded"],
    ),
    Goal("full build, films/s", "full_build", "≥ 300", build(lambda run: run["films_fetched"] / run["seconds"])),
    Goal("full build, MB of our processes", "full_build", "≤ 250", build(lambda run: run["peak_megabytes"])),
    Goal("full build, MB of Postgres", "full_build", "a setting", build(lambda run: run["postgres_peak_megabytes"])),
    *(
        goal
        for films in (20_000, 50_000)
        for goal in (
            Goal(f"recall@10 of {films:,}, the least", "search_curves", "≥ 0.99", curve(films, "recall", min)),
            Goal(f"search of {films:,}, p95 ms of CPU, the most", "search_curves", "< 25",
                 curve(films, "cpu_p95_ms", max)),
            Goal(f"first search of {films:,} after a restart, ms of CPU", "search_curves", "< 25",
                 first_search(films)),
        )
    ),
    *(
        Goal(f"word search, {words} words of a plot, {name} ms", "text_search", goal,
             question(f"{words} words of a plot", f"{name}_ms"))
        for words in (12, 30)
        for name, goal in (("p50", "≤ 10"), ("p95", "≤ 20"))
    ),
    Goal("list calls of a day without change", "list_calls", "≤ 400", lambda f: f["figures"][1]["calls"]),
)  # fmt: skip


def figure_of(goal: Goal, folder: Path) -> float | None:
    """Return the figure, None without a measurement that has it."""
    file = folder / f"{goal.bench}.json"
    try:
        return goal.read(json.loads(file.read_text()))
    except (OSError, LookupError, StopIteration, ValueError):
        return None


def goals_as_text() -> str:
    """Return the table as Markdown."""
    lines = ["## Goals", "", "Of the last run of each benchmark; before: the code of an earlier checkout.", ""]
    lines += ["| work | goal | before | now | ratio | |", "| --- | --- | --: | --: | --: | --- |"]
    for goal in GOALS:
        before, now = figure_of(goal, BEFORE), figure_of(goal, RESULTS)
        ratio = f"{now / before:.2f}" if before and now is not None else ""
        shown = ["" if each is None else f"{each:,.4g}" for each in (before, now)]
        lines.append(f"| {goal.work} | {goal.goal} | {' | '.join(shown)} | {ratio} | `{goal.bench}.py` |")
    return "\n".join(lines) + "\n"
