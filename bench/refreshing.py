"""What the benches of the build share: a stand-in in a process of its own, a catalogue, measured refreshes of it."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from processes import Watch

COMMAND = [sys.executable, "-c", "from movie_assets.cli import main; main()"]
SERVE = """
import json, sys
from movie_assets.standin.options import StandInOptions
from movie_assets.standin.server import serve
def tell(ready):
    print(json.dumps([ready.url, ready.tmdb_url, ready.export_url, ready.openai_url]), flush=True)
serve(StandInOptions(**json.loads(sys.argv[1])), tell)
"""
DETAILS = "movie_details:every_batch_is_covered"
EMBEDDINGS = "movie_embeddings:every_text_is_embedded_as_it_stands"


@dataclass(frozen=True)
class Services:
    """A stand-in that runs as another process, so that its work is not counted as ours."""

    url: str
    tmdb_url: str
    export_url: str
    openai_url: str

    def begin(self, day: date) -> None:
        """Make it this day, and count its requests from now on."""
        wanted = {"today": day.isoformat(), "reset_counts": True}
        httpx.put(f"{self.url}/stand-in/state", json=wanted).raise_for_status()

    def requests(self) -> dict[str, dict[str, int]]:
        """How often each endpoint answered with each status."""
        found: dict[str, dict[str, int]] = httpx.get(f"{self.url}/stand-in/state").json()["requests"]
        return found


@contextmanager
def services(**options: Any) -> Iterator[Services]:
    """Serve with these options (StandInOptions), without a limit for TMDB unless one is named."""
    command = [sys.executable, "-c", SERVE, json.dumps({"rate_limit": 0, **options})]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101  # it was started with a pipe
        try:
            yield Services(*json.loads(process.stdout.readline()))
        finally:
            process.terminate()


@contextmanager
def catalogue(stand_in: Services, **variables: str) -> Iterator[dict[str, str]]:
    """An empty data folder; yields the environment of commands that work on it."""
    with tempfile.TemporaryDirectory(prefix="movie_assets_bench_") as home:
        yield {
            **{name: value for name, value in os.environ.items() if not name.startswith("MOVIE_ASSETS_")},
            "MOVIE_ASSETS_HOME": home,
            "MOVIE_ASSETS_TMDB_RATE": "0",
            "MOVIE_ASSETS_EMBEDDER": "local",
            "TMDB_API_URL": stand_in.tmdb_url,
            "TMDB_EXPORT_URL": stand_in.export_url,
            "TMDB_API_TOKEN": "a-token",
            **variables,
        }


def measured(stand_in: Services, environment: dict[str, str], day: date) -> dict[str, Any]:
    """Refresh a day in a process of its own, start included; what it used, beside what Postgres did."""
    stand_in.begin(day)
    began = time.monotonic()
    command = [*COMMAND, "refresh", "--json", "--date", day.isoformat()]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        with Watch(process.pid, Path(environment["MOVIE_ASSETS_HOME"])) as watch:
            output, said = process.communicate()
        seconds = time.monotonic() - began
    if not output:
        raise SystemExit(f"the refresh of {day} ended with {process.returncode}: {said[-2000:]}")
    outcome = json.loads(output)
    if outcome["failed_jobs"]:
        raise SystemExit(f"{', '.join(outcome['failed_jobs'])} failed: {'; '.join(outcome['problems'])}")
    details, embeddings = outcome["figures"][DETAILS], outcome["figures"][EMBEDDINGS]
    return {
        "failed_checks": ", ".join(outcome["failed_checks"]) or "none",
        "seconds": round(seconds, 1),
        "seconds_of_jobs": round(outcome["seconds"], 1),
        "cpu_seconds": round(watch.process.cpu_seconds, 1),
        "postgres_cpu_seconds": round(watch.postgres.cpu_seconds, 1),
        "peak_megabytes": round(watch.process.peak_megabytes),
        "postgres_peak_megabytes": round(watch.postgres.peak_megabytes),
        "detail_calls": sum(stand_in.requests().get("movie", {}).values()),
        "films_fetched": details["fetched"],
        "texts_embedded": embeddings["texts_embedded"],
        "tokens": embeddings["tokens"],
    }
