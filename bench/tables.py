"""How a bench tells its figures: a Markdown table below a heading, and the same as JSON."""

import argparse
import json
from collections.abc import Mapping, Sequence
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
    """Print a table; columns of numbers are on the right."""
    names = list(rows[0])
    marks = ["---" if isinstance(rows[0][name], str) else "--:" for name in names]
    for cells in ([name.replace("_", " ") for name in names], marks, *([shown(row[n]) for n in names] for row in rows)):
        print(f"| {' | '.join(cells)} |")
    print(flush=True)


def shown(value: Any) -> str:
    """A number with its thousands parted, anything else as it is."""
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def keep(path: Path | None, figures: Any) -> None:
    """Write figures as JSON, if a file was named."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=2) + "\n")
