"""Shared by the benchmarks of the build: an emulator in a process of its own, a catalogue, measured refreshes."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
from processes import Watch, cpu_seconds
from standstill import Standstill

from movie_assets.database.embedded import embedded_postgres
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import world_of

COMMAND = [sys.executable, "-c", "from movie_assets.cli.main import main; main()"]
SERVE = Path(__file__).with_name("standstill.py")
TODAY = datetime.now(UTC).date() - timedelta(days=1)  # a day that is past is read as of its noon, whatever the clock
STANDSTILL = TODAY - timedelta(days=1)  # the day on which the services' world is as it was the day before
DETAILS = "movie_details:every_batch_is_covered"
NOT_OTHER = {"movie", "embeddings"}  # endpoints with figures of their own; the others are TMDB's lists, feed and export
EMBEDDINGS = "movie_embeddings:every_text_is_embedded_as_it_stands"


@dataclass(frozen=True)
class Services:
    """An emulator that runs as another process, so that its work is not counted as ours."""

    url: str
    tmdb_url: str
    export_url: str
    openai_url: str
    process: int

    def begin(self, day: date) -> None:
        """Set the emulator's day, and reset the counts of its requests."""
        wanted = {"today": day.isoformat(), "reset_counts": True}
        httpx.put(f"{self.url}/emulator/state", json=wanted).raise_for_status()

    def requests(self) -> dict[str, dict[str, int]]:
        """Return the number of responses by endpoint and status."""
        found: dict[str, dict[str, int]] = httpx.get(f"{self.url}/emulator/state").json()["requests"]
        return found


@contextmanager
def services(**options: Any) -> Iterator[Services]:
    """Serve with these options (EmulatorOptions), without a limit for TMDB unless one is named."""
    command = [sys.executable, str(SERVE), json.dumps({"rate_limit": 0, **options}), STANDSTILL.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101  # it was started with a pipe
        try:
            url, tmdb_url, export_url, openai_url = json.loads(process.stdout.readline())
            yield Services(url, tmdb_url, export_url, openai_url, process.pid)
        finally:
            process.terminate()


def served_world(movies: int) -> Standstill:
    """The world that `services` with so many ids serve."""
    return Standstill(world_of(EmulatorOptions(movies=movies)), STANDSTILL)


@contextmanager
def catalogue(tmdb_emulator: Services, **variables: str) -> Iterator[dict[str, str]]:
    """An empty data folder; yields the environment of commands that work on it."""
    with tempfile.TemporaryDirectory(prefix="movie_assets_bench_") as home:
        yield {
            **{name: value for name, value in os.environ.items() if not name.startswith("MOVIE_ASSETS_")},
            "MOVIE_ASSETS_HOME": home,
            "MOVIE_ASSETS_TMDB_RATE": "0",
            "MOVIE_ASSETS_EMBEDDER": "local",
            "TMDB_API_URL": tmdb_emulator.tmdb_url,
            "TMDB_EXPORT_URL": tmdb_emulator.export_url,
            "TMDB_API_TOKEN": "a-token",
            **variables,
        }


def measured(
    tmdb_emulator: Services, environment: dict[str, str], day: date, command: Sequence[str] = COMMAND
) -> dict[str, Any]:
    """Refresh a day in a process of its own; return what it and Postgres used, from its start on."""
    tmdb_emulator.begin(day)
    began, served = time.monotonic(), cpu_seconds([tmdb_emulator.process])
    with subprocess.Popen(
        [*command, "refresh", "--json", "--date", day.isoformat()],
        env=environment,
        cwd=environment["MOVIE_ASSETS_HOME"],  # not the current folder, whose .env would be read
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        with Watch(process.pid, Path(environment["MOVIE_ASSETS_HOME"])) as watch:
            output, errors = process.communicate()
        seconds = time.monotonic() - began
    if not output:
        raise SystemExit(f"the refresh of {day} ended with {process.returncode}: {errors[-2000:]}")
    outcome = json.loads(output)
    if outcome["failed_jobs"]:
        raise SystemExit(f"{', '.join(outcome['failed_jobs'])} failed: {'; '.join(outcome['problems'])}")
    requests = tmdb_emulator.requests()
    details, embeddings = outcome["figures"][DETAILS], outcome["figures"][EMBEDDINGS]
    return {
        "failed_checks": outcome["failed_checks"],
        "seconds": round(seconds, 1),
        "seconds_of_jobs": round(outcome["seconds"], 1),
        "cpu_seconds": round(watch.process.cpu_seconds, 1),
        "postgres_cpu_seconds": round(watch.postgres.cpu_seconds, 1),
        "stand_in_cpu_seconds": round(cpu_seconds([tmdb_emulator.process]) - served, 1),
        "peak_megabytes": round(watch.process.peak_megabytes),
        "postgres_peak_megabytes": round(watch.postgres.peak_megabytes),
        "detail_calls": sum(requests.get("movie", {}).values()),
        "other_calls": sum(sum(answers.values()) for name, answers in requests.items() if name not in NOT_OTHER),
        "films_fetched": details["fetched"],
        "texts_embedded": embeddings["texts_embedded"],
        "tokens": embeddings["tokens"],
    }


def of_the_database(environment: dict[str, str], query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query on a catalogue that no process refreshes now."""
    home = Path(environment["MOVIE_ASSETS_HOME"])
    with embedded_postgres(home) as server, psycopg.connect(server.replace("/?", "/movie_assets?")) as connection:
        return connection.execute(query, values).fetchall()
