"""Fetch details at the shared pace from one process and from two; the stand-in refuses more than 50 a second.

Prints what share of the pace was reached and what share of the calls was answered with 429, as a table and as
JSON. Usage: pacing.py [--fetches N] [--rate R] [--limit L] [--json FILE]
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from movie_assets.resources.embedded_postgres import embedded_postgres
from movie_assets.resources.migrations import ensure_database, migrate
from movie_assets.resources.postgres import Database
from movie_assets.resources.tmdb import Tmdb
from movie_assets.settings import Settings
from movie_assets.standin.options import StandInOptions
from movie_assets.standin.server import StandIn

FETCH = "--fetch"


def main() -> None:
    """Measure with one process and with two."""
    if FETCH in sys.argv:
        asyncio.run(fetch(*sys.argv[2:7]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fetches", type=int, default=2000, help="details in all")
    parser.add_argument("--rate", type=float, default=45.0, help="the shared pace, calls a second")
    parser.add_argument("--limit", type=int, default=50, help="what the stand-in lets through in any second")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="movie_assets_pacing_") as home, embedded_postgres(Path(home)) as server:
        address = server.replace("/?", "/pacing?")
        ensure_database(address)
        database = Database(address)
        migrate(database)
        database.close()
        figures = [measured(address, n, arguments.fetches, arguments.rate, arguments.limit) for n in (1, 2)]
    print("| processes | fetches | seconds | calls/s | of the pace | 429s | busiest second |")
    print("|--:|--:|--:|--:|--:|--:|--:|")
    for row in figures:
        print(
            f"| {row['processes']} | {row['fetches']:,} | {row['seconds']:.1f} | {row['calls_per_second']:.1f} "
            f"| {row['share_of_pace']:.1%} | {row['share_of_429']:.2%} | {row['busiest_second']} |"
        )
    print(json.dumps(figures))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def measured(address: str, processes: int, fetches: int, rate: float, limit: int) -> dict[str, Any]:
    """Fetch from several processes that begin together."""
    with StandIn(StandInOptions(movies=max(600, fetches), rate_limit=limit)) as stand_in:
        ids = stand_in.world.columns(stand_in.today).tmdb_id[:fetches].tolist()
        stand_in.world.body(ids[0], stand_in.today, ())  # what a world makes once is not measured
        command = [sys.executable, __file__, FETCH, address, stand_in.tmdb_url, str(rate)]
        workers = [
            subprocess.Popen(
                [*command, str(number), ",".join(map(str, ids[number::processes]))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for number in range(processes)
        ]  # fmt: skip
        for worker in workers:
            told(worker)
        began = time.monotonic()
        for worker in workers:
            assert worker.stdin is not None  # noqa: S101  # it was started with a pipe
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in workers:
            told(worker)
        seconds = time.monotonic() - began
        for worker in workers:
            worker.communicate()
        calls = stand_in.requests["movie"]
        answered = calls.get(200, 0) + calls.get(404, 0)
        reached = answered / seconds
        return {
            "processes": processes,
            "fetches": answered,
            "seconds": round(seconds, 2),
            "calls_per_second": round(reached, 2),
            "share_of_pace": round(reached / rate, 4),
            "share_of_429": round(calls.get(429, 0) / sum(calls.values()), 4),
            "busiest_second": stand_in.max_requests_in_any_second,
        }


def told(worker: "subprocess.Popen[str]") -> None:
    """Wait for a line of a worker."""
    assert worker.stdout is not None  # noqa: S101  # it was started with a pipe
    if not worker.stdout.readline():
        raise RuntimeError(f"a worker ended with {worker.wait()}")


async def fetch(address: str, url: str, rate: str, name: str, ids: str) -> None:
    """Be a worker: say so, wait for the start, fetch, say so."""
    settings = Settings.model_validate({"tmdb_api_token": "a-token", "tmdb_api_url": url, "tmdb_rate": float(rate)})
    database = Database(address)
    print("ready", flush=True)
    sys.stdin.readline()
    async with Tmdb(settings, database).session(f"worker {name}") as client:
        async for _ in client.details([int(text) for text in ids.split(",")]):
            pass
    print("done", flush=True)
    database.close()


if __name__ == "__main__":
    main()
