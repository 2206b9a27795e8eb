"""How a bench tells its figures: Markdown tables below a heading, and the same as JSON."""

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
    """A parser with the options that every bench has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="each figure is the median of so many")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser


def medians(rows: Sequence[Row]) -> dict[str, Any]:
    """Of each figure the median, the lower of the middle two if there are; of lists, whatever is in one of them.

    Words are those of the first row.
    """
    return {name: _median([row[name] for row in rows]) for name in rows[0]}


def _median(values: Sequence[Any]) -> Any:
    if isinstance(values[0], list):
        return sorted({each for value in values for each in value})
    return values[0] if isinstance(values[0], str) else median_low(values)


def in_rounds(count: int, one_round: Callable[[], Sequence[Row]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Measure so many times; the medians of each line, and all rounds beside them to be kept."""
    rounds = []
    for number in range(1, count + 1):
        say(f"round {number} of {count}")
        rounds.append(one_round())
    figures = [medians(rows) for rows in zip(*rounds, strict=True)]
    return figures, {"figures": figures, "rounds": rounds}


def say(sentence: str) -> None:
    """Tell how far it is; standard output is for the table."""
    print(sentence, file=sys.stderr, flush=True)


def tell(heading: str, configuration: str, rows: Sequence[Row]) -> None:
    """Print a heading, a sentence of what was measured how, and a table whose columns are the first row's keys."""
    print(f"## {heading}\n\n{configuration}\n")
    tell_table(rows)


def tell_table(rows: Sequence[Row]) -> None:
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
    """A number with its thousands parted, a list in words, anything else as it is."""
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def keep(path: Path | None, figures: Any) -> None:
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
    keep(path, {**figures, "rows": list(rows), **more})


def timed(work: Callable[[], Any]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
