"""Build a generated catalogue through Dagster, then a day without a change and one with 1 % of the texts changed.

Both services are unlimited: this measures our own ceiling, not TMDB's. Each round builds from an empty data folder; the
medians are told. A day is set against the least that it can cost, by the stand-in's own world (least.py), and against
Dagster's own floor, measured in the same round (dagster_floor.py).
"""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from least import least_of
from refreshing import catalogue, measured, services
from tables import keep, parser_of, tell, tell_table

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)
RUNS = (("full build", YESTERDAY), ("none changed", YESTERDAY), ("1 % changed", TODAY))
FLOOR = Path(__file__).with_name("dagster_floor.py")
WHAT_IT_TOOK = (
    "seconds", "cpu_seconds", "postgres_cpu_seconds", "peak_megabytes", "postgres_peak_megabytes", "films_fetched",
)  # fmt: skip


def main() -> None:
    """Measure, print, keep."""
    parser = parser_of(__doc__)
    parser.add_argument("--movies", type=int, default=50_000, help="ids in the stand-in's world")
    parser.add_argument("--rounds", type=int, default=3, help="builds from an empty folder")
    options = parser.parse_args()
    with services(movies=options.movies) as stand_in:
        rounds = [one_round(stand_in) for _ in range(options.rounds)]
    figures = {run: medians([each[run] for each in rounds]) for run, _ in RUNS}
    floor = median(each["floor"] for each in rounds)
    configuration = (
        f"{options.movies:,} ids, of which some half have enough votes; both services unlimited, the "
        f"local embedder; medians of {options.rounds} rounds, each from an empty folder. Memory is the most that all "
        "processes of a kind had at a moment, a page that they share counted once."
    )
    tell("Full build", configuration, [what_it_took(run, figures[run]) for run, _ in RUNS])
    least = {"none changed": dict.fromkeys(("detail_calls", "texts", "tokens"), 0)}
    least["1 % changed"] = least_of(options.movies, TODAY)
    print("What a day cost, and the least that it can cost:\n")
    tell_table([against_least(run, figures[run], least[run]) for run in least])
    print("Where a day's seconds are; Dagster's floor is the same jobs with empty assets of the same shape:\n")
    tell_table([against_floor(run, figures[run], floor) for run in least])
    keep(options.json, {"runs": figures, "least": least, "dagster_floor_seconds": floor, "rounds": rounds})


def one_round(stand_in: Any, **variables: str) -> dict[str, Any]:
    """The three runs on an empty catalogue, and what Dagster's own records took after them."""
    with catalogue(stand_in, **variables) as environment:
        found: dict[str, Any] = {run: measured(stand_in, environment, day) for run, day in RUNS}
        command = [sys.executable, str(FLOOR), TODAY.isoformat()]
        told = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        return {**found, "floor": round(float(told.stdout), 1)}


def medians(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The median of each figure; words as the first round had them."""
    first = rows[0]
    return {
        name: value if isinstance(value, str) else round(median(row[name] for row in rows), 1)
        for name, value in first.items()
    }


def what_it_took(run: str, figures: dict[str, Any]) -> dict[str, Any]:
    """A line of the first table."""
    return {
        "run": run,
        "failed checks": figures["failed_checks"],
        **{name: figures[name] for name in WHAT_IT_TOOK},
        "films_per_second": round(figures["films_fetched"] / figures["seconds"], 1),
    }


def against_least(run: str, figures: dict[str, Any], least: dict[str, int]) -> dict[str, Any]:
    """A line of the second table."""
    return {
        "run": run,
        "detail calls": figures["detail_calls"],
        "least calls": least["detail_calls"],
        "texts embedded": figures["texts_embedded"],
        "least texts": least["texts"],
        "tokens": figures["tokens"],
        "least tokens": least["tokens"],
    }


def against_floor(run: str, figures: dict[str, Any], floor: float) -> dict[str, Any]:
    """A line of the third table."""
    return {
        "run": run,
        "seconds": figures["seconds"],
        "start and end of the process": round(figures["seconds"] - figures["seconds_of_jobs"], 1),
        "Dagster's floor": floor,
        "ours": round(figures["seconds_of_jobs"] - floor, 1),
    }


if __name__ == "__main__":
    main()
