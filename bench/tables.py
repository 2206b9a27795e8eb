"""What the benches against other libraries print and write: Markdown tables, and one JSON object a script."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], texts: int = 1) -> None:
    """Print a Markdown table whose first so many columns are words and the others figures."""
    print(f"| {' | '.join(columns)} |")
    print("|" + "---|" * texts + "--:|" * (len(columns) - texts))
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")


def write_json(
    path: Path | None, benchmark: str, baseline: str, rounds: int, configured: str, rows: Sequence[dict[str, Any]],
    **more: Any,
) -> None:  # fmt: skip
    """Write the figures to a file, if one is wanted."""
    figures = {"benchmark": benchmark, "baseline": baseline, "rounds": rounds, "configured": configured}
    if path is not None:
        path.write_text(json.dumps({**figures, "rows": list(rows), **more}, indent=2) + "\n")


def timed(work: Callable[[], Any]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
