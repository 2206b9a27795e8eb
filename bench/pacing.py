"""Fetch details at the shared pace from one process and from two; the emulator refuses more than 40 a second.

It prints the share of the pace that was reached, and the share of calls with a response 429.
"""

import asyncio
import subprocess
import sys
import time
from typing import Any

from made_up_vectors import server_of_ones_own
from tables import in_rounds, parser_of, print_section, write_figures

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.tmdb.client import Tmdb

FETCH = "--fetch"


def main() -> None:
    """Measure with one process and with two."""
    if FETCH in sys.argv:
        asyncio.run(fetch(*sys.argv[2:7]))
        return
    parser = parser_of(__doc__)
    parser.add_argument("--fetches", type=int, default=2000, help="details in all")
    parser.add_argument("--rate", type=float, default=38.0, help="the shared pace, calls a second")
    parser.add_argument("--limit", type=int, default=40, help="what the emulator lets through in any second")
    arguments = parser.parse_args()
    with server_of_ones_own("pacing") as (address, _):
        figures, kept = in_rounds(
            arguments.rounds,
            lambda: [measured(address, n, arguments.fetches, arguments.rate, arguments.limit) for n in (1, 2)],
        )
    configuration = (
        f"{arguments.fetches:,} details fetched through the real client at a shared pace of {arguments.rate:g} calls a "
        f"second, from an emulator that answers 429 to more than {arguments.limit} in any sliding second; medians "
        f"of {arguments.rounds} rounds."
    )
    print_section("The shared pace", configuration, [_line(row) for row in figures])
    write_figures(arguments.json, kept)


def _line(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: f"{row[name]:.2%}" for name in ("share_of_pace", "share_of_429")}


def measured(address: str, processes: int, fetches: int, rate: float, limit: int) -> dict[str, Any]:
    """Fetch details with several processes that start together, and return the figures."""
    with TmdbEmulator(EmulatorOptions(movies=max(600, fetches), rate_limit=limit)) as tmdb_emulator:
        ids = tmdb_emulator.world.columns(tmdb_emulator.today).tmdb_id[:fetches].tolist()
        tmdb_emulator.world.body(ids[0], tmdb_emulator.today, ())  # makes the world before the measurement
        command = [sys.executable, __file__, FETCH, address, tmdb_emulator.tmdb_url, str(rate)]
        workers = [
            subprocess.Popen(
                [*command, str(number), ",".join(map(str, ids[number::processes]))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for number in range(processes)
        ]  # fmt: skip
        for worker in workers:
            wait_for_line(worker)
        began = time.monotonic()
        for worker in workers:
            assert worker.stdin is not None  # noqa: S101  # it was started with a pipe
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in workers:
            wait_for_line(worker)
        seconds = time.monotonic() - began
        for worker in workers:
            worker.communicate()
        calls = tmdb_emulator.requests["movie"]
        answered = calls.get(200, 0) + calls.get(404, 0)
        reached = answered / seconds
        return {
            "processes": processes,
            "fetches": answered,
            "seconds": round(seconds, 2),
            "calls_per_second": round(reached, 2),
            "share_of_pace": round(reached / rate, 4),
            "share_of_429": round(calls.get(429, 0) / sum(calls.values()), 4),
            "busiest_second": tmdb_emulator.max_requests_in_any_second,
        }


def wait_for_line(worker: "subprocess.Popen[str]") -> None:
    """Wait for a line that a worker prints. Raises RuntimeError if it ended instead."""
    assert worker.stdout is not None  # noqa: S101  # it was started with a pipe
    if not worker.stdout.readline():
        raise RuntimeError(f"a worker ended with {worker.wait()}")


async def fetch(address: str, url: str, rate: str, name: str, ids: str) -> None:
    """Be a worker: print `ready`, wait for the start, fetch details, print `done`."""
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
