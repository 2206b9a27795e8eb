"""Build a generated catalogue through Dagster, then a day without and a day with changes; print what it took.

The stand-in runs as a process of its own, so that its work is not counted as ours. Both services are
unlimited: this measures our own ceiling, not TMDB's. Usage: full_build.py [--movies N] [--json FILE]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

COMMAND = [sys.executable, "-c", "from movie_assets.cli import main; main()"]
TODAY = datetime.now(UTC).date()


def main() -> None:
    """Run the three refreshes and report them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--movies", type=int, default=50_000, help="ids in the stand-in's world")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    stand_in = subprocess.Popen(
        [*COMMAND, "stand-in", "--port", "0", "--rate", "0", "--movies", str(arguments.movies)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with tempfile.TemporaryDirectory(prefix="movie_assets_bench_") as home:
            environment = variables_of(stand_in, home)
            figures = [
                measured("full build", environment, TODAY - timedelta(days=1)),
                measured("same day again", environment, TODAY - timedelta(days=1)),
                measured("next day", environment, TODAY),
            ]
    finally:
        stand_in.terminate()
        stand_in.wait()
    for row in figures:
        print(
            "  ".join(
                f"{name} {value:,}" if not isinstance(value, str) else f"{value:<16}" for name, value in row.items()
            )
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def variables_of(stand_in: "subprocess.Popen[str]", home: str) -> dict[str, str]:
    """Read the variables that the stand-in prints; wait until it answers."""
    assert stand_in.stdout is not None  # noqa: S101  # it was started with a pipe
    variables = {}
    while len(variables) < 3:  # noqa: PLR2004  # the API's, the export's and the token
        line = stand_in.stdout.readline()
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").strip().partition("=")
            variables[name] = value
    return {
        **os.environ,
        **variables,
        "MOVIE_ASSETS_HOME": home,
        "MOVIE_ASSETS_TMDB_RATE": "0",
        "MOVIE_ASSETS_EMBEDDER": "local",
    }


def measured(label: str, environment: dict[str, str], day: object) -> dict[str, Any]:
    """Refresh a day in a process of its own; wall and CPU seconds and peak memory are that process's."""
    control = environment["TMDB_API_URL"].removesuffix("/3") + "/stand-in/state"
    httpx.put(control, json={"today": str(day), "reset_counts": True}).raise_for_status()
    started = time.monotonic()
    process = subprocess.Popen(
        [*COMMAND, "refresh", "--json", "--date", str(day)], env=environment, stdout=subprocess.PIPE
    )
    assert process.stdout is not None  # noqa: S101  # it was started with a pipe
    output = process.stdout.read()
    _, _, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    outcome = json.loads(output)
    if outcome["failed_jobs"]:
        raise SystemExit(f"{label}: {', '.join(outcome['failed_jobs'])} failed: {'; '.join(outcome['problems'])}")
    details = outcome["figures"]["movie_details:every_batch_is_covered"]
    embeddings = outcome["figures"]["movie_embeddings:every_text_is_embedded_as_it_stands"]
    return {
        "run": label,
        "failed": ", ".join(outcome["failed_checks"]) or "nothing",
        "seconds": round(wall, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_megabytes": round(used.ru_maxrss / 1024),
        "detail_calls": details["fetched"] + details["gone"] + details["failed"],
        "texts_embedded": embeddings["texts_embedded"],
        "films_per_second": round(details["fetched"] / wall, 1),
    }


if __name__ == "__main__":
    main()
