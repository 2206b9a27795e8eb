"""How a bench tells its figures: Markdown tables below a heading, and the same as JSON."""

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """A parser with the option that every bench has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser


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
