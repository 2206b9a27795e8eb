"""Prints the figures of a benchmark as Markdown tables below a heading, and writes them as JSON."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median_low
from typing import Any

Row = Mapping[str, Any]


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="each figure is the median of so many")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser


def medians(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the low median of each figure, the union of lists, and texts of the first row."""
    return {name: _median([row[name] for row in rows]) for name in rows[0]}


def _median(values: Sequence[Any]) -> Any:
    if isinstance(values[0], list):
        return sorted({each for value in values for each in value})
    return values[0] if isinstance(values[0], str) else median_low(values)


def in_rounds(count: int, one_round: Callable[[], Sequence[Row]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Measure so many times; return the medians of each line, and an object with them and all rounds."""
    rounds = []
    for number in range(1, count + 1):
        report_progress(f"round {number} of {count}")
        rounds.append(one_round())
    figures = [medians(rows) for rows in zip(*rounds, strict=True)]
    return figures, {"figures": figures, "rounds": rounds}


def report_progress(sentence: str) -> None:
    """Print a message on standard error; standard output is for the tables."""
    print(sentence, file=sys.stderr, flush=True)


def print_section(heading: str, configuration: str, rows: Sequence[Row]) -> None:
    """Print a heading, a description of the measurement, and a table whose columns are the first row's keys."""
    print(f"## {heading}\n\n{configuration}\n")
    print_rows(rows)


def print_rows(rows: Sequence[Row]) -> None:
    """Print rows as a table whose columns are the first row's keys; columns of numbers are on the right."""
    names = list(rows[0])
    texts = [name for name in names if isinstance(rows[0][name], str | list)]
    columns = [name.replace("_", " ") for name in names]
    _print_table(columns, [[shown(row[name]) for name in names] for row in rows], [name in texts for name in names])
    print(flush=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], texts: int = 1) -> None:
    """Print a table whose first so many columns are words and the others figures."""
    _print_table(columns, rows, [number < texts for number in range(len(columns))])


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], are_words: Sequence[bool]) -> None:
    for cells in (columns, ["---" if words else "--:" for words in are_words], *rows):
        print(f"| {' | '.join(map(str, cells))} |")


def shown(value: Any) -> str:
    """Return a number with thousands separators, a list as its items, and anything else as text."""
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def write_figures(path: Path | None, figures: Any) -> None:
    """Write figures as JSON, if a file was named."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=2) + "\n")


def write_json(
    path: Path | None, benchmark: str, baseline: str, rounds: int, configured: str, rows: Sequence[dict[str, Any]],
    **more: Any,
) -> None:  # fmt: skip
    """Write the figures of a comparison, if a file was named."""
    figures = {"benchmark": benchmark, "baseline": baseline, "rounds": rounds, "configured": configured}
    write_figures(path, {**figures, "rows": list(rows), **more})


def timed(work: Callable[[], Any]) -> float:
    """Return the seconds that some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
