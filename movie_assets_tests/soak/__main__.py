"""`make soak`: thirty simulated days of a deployment that stays up, with a moving world and random troubles.

    python -m movie_assets_tests.soak [DAYS] [--movies N] [--seed S] [--report docs/soak]

Prints a line for each day on stderr and the report on stdout; returns 1 when one of the criteria does not hold.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from movie_assets.config.paths import CHECKOUT
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.runs.run_time import noon_of
from movie_assets_tests.circumstances import circumstances
from movie_assets_tests.deployment import Deployment, deployed, free_ports
from movie_assets_tests.soak import gauges, truth
from movie_assets_tests.soak.criteria import Criterion, all_criteria, is_a_pile
from movie_assets_tests.soak.life import Day, Life, World
from movie_assets_tests.soak.report import line_of, markdown
from movie_assets_tests.soak.troubles import dealt

AUTOVACUUM_SECONDS = 240.0  # it looks at each database once a minute
STALL_SECONDS = 20.0  # longer than a client waits
# A person who has just launched a run waits for the queue; thirty days of such waits would be half an hour.
QUEUE = """
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config: {dequeue_interval_seconds: 1}
"""


@contextmanager
def living(home: Path, movies: int, seed: int, first: date, **settings: Any) -> Iterator[Life]:
    """Start everything for a soak under a data folder; stops it in the end."""
    inbox = home / "inbox"
    inbox.mkdir()
    (home / "dagster.yaml").write_text((CHECKOUT / "dagster.yaml").read_text(encoding="utf-8") + QUEUE)
    world = World(movies, seed)
    options = EmulatorOptions(today=first, rate_limit=0, seed=seed, movies=movies, stall_seconds=STALL_SECONDS)
    with TmdbEmulator(options, world=world) as tmdb_emulator:
        settings["votes_days"] = 1  # as all votes are compared with those of the last day
        settings |= {"embedder": "openai", "openai_api_key": "a-key", "openai_base_url": tmdb_emulator.openai_url}
        with deployed(
            home, tmdb_emulator, free_ports(), dagster_home=home, tmdb_rate=0, inbox=inbox, **settings
        ) as deployment:
            yield Life(deployment, tmdb_emulator, world, inbox, random.Random(seed))  # noqa: S311  # repeatable


def derived(life: Life, days: list[Day]) -> list[Criterion]:
    """Compare the end with the world, wait for autovacuum, and evaluate the criteria."""
    first, last = date.fromisoformat(days[0].day), date.fromisoformat(days[-1].day)
    address = life.deployment.settings.database_url
    assert address is not None
    with psycopg.connect(address.get_secret_value(), autocommit=True) as connection:
        found = truth.derived(connection, life.world, (first, last), life.deployment.settings.thresholds)
        for example in found.for_example:
            print(example, file=sys.stderr)
        rows = sum(rows.total() for rows in truth.found_in(connection).values())
        recounted = connection.execute(
            "select coalesce(sum(rows_differing), -1) from pipeline.reconciliations where reconciled_at >= %s",
            [noon_of(days[-1].day)],
        ).fetchone()
        connection.execute("analyze")  # counts dead rows anew, which Postgres forgot when it was restarted
    assert recounted is not None
    return all_criteria(days, found, rows, int(recounted[0]), _at_rest(life.deployment))


def _at_rest(deployment: Deployment) -> dict[str, gauges.Table]:
    """The tables once autovacuum had the time to look at them."""
    until = time.monotonic() + AUTOVACUUM_SECONDS
    while True:
        tables = gauges.measured(deployment).tables
        if time.monotonic() > until or not any(is_a_pile(table) for table in tables.values()):
            return tables
        time.sleep(5)


def soak(days: int, movies: int, seed: int) -> tuple[list[Day], list[Criterion]]:
    """Live through the days, ending today, and evaluate the criteria."""
    first = datetime.now(UTC).date() - timedelta(days=days - 1)
    lived = []
    with tempfile.TemporaryDirectory(prefix="ma") as folder:  # short: a socket's path may have 107 bytes
        Path(folder).chmod(0o755)  # the embedded server's user has to walk through it
        with living(Path(folder), movies, seed, first, embedding_dimensions=1536) as life:
            for day in life.days(first, dealt(life.chance, days)):
                lived.append(day)
                print(line_of(day), file=sys.stderr, flush=True)
            return lived, derived(life, lived)


def main() -> int:
    """Soak, print the report, and fail if a criterion does not hold."""
    parser = argparse.ArgumentParser(prog="soak", description="A deployment that stays up for simulated days.")
    parser.add_argument("days", type=int, nargs="?", default=30, help="how many, ending today (default 30)")
    parser.add_argument("--movies", type=int, default=50_000, help="ids in the emulator's world (default 50,000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another world and other troubles")
    parser.add_argument(
        "--report", type=Path, help="write the report to this name with .md, and all figures with .json"
    )
    arguments = parser.parse_args()
    if not Path("/proc/self/smaps_rollup").exists():
        print("memory is read from Linux's /proc, which is not here", file=sys.stderr)
        return 2
    began = time.monotonic()
    days, criteria = soak(arguments.days, arguments.movies, arguments.seed)
    run = {
        "movies": arguments.movies,
        "seed": arguments.seed,
        "seconds": round(time.monotonic() - began, 1),
        **circumstances(),
    }
    report = markdown(days, criteria, run)
    print(report)
    if arguments.report:
        result = {"run": run, "days": [asdict(day) for day in days], "criteria": [asdict(each) for each in criteria]}
        arguments.report.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        arguments.report.with_suffix(".md").write_text(report + "\n", encoding="utf-8")
    return int(any(criterion.holds is False for criterion in criteria))


if __name__ == "__main__":
    sys.exit(main())
