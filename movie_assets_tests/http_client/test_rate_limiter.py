"""The shared pace: even, and the same for one process or several."""

import asyncio
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, pairwise

import psycopg
import pytest

from movie_assets.database.database import Database
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.http_client import rate_limiter as module
from movie_assets.http_client.rate_limiter import shared_limiter

RATE = 10.0
CALLS = 12
FASTER_RATE = 45.0
FETCHES = 360

# Prints the moment of each of its calls; a process of its own.
CALLER = """
import asyncio, sys, time
from movie_assets.http_client.rate_limiter import shared_limiter
from movie_assets.database.database import Database

async def run(address, rate, calls):
    async with shared_limiter(Database(address), "tmdb", rate) as pace:
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(calls):
            await pace.acquire()
            print(time.time(), flush=True)

asyncio.run(run(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
"""


# Fetches details; a process of its own.
FETCHER = """
import asyncio, sys
from movie_assets.database.database import Database
from movie_assets.tmdb.client import Tmdb
from movie_assets.config.settings import Settings

async def run(address, url, ids):
    settings = Settings.model_validate({"tmdb_api_token": "a-token", "tmdb_api_url": url, "tmdb_rate": 45})
    print("ready", flush=True)
    sys.stdin.readline()
    async with Tmdb(settings, Database(address)).session("a-run") as client:
        async for _ in client.details([int(text) for text in ids.split(",")]):
            pass

asyncio.run(run(*sys.argv[1:]))
"""


def let_go(processes: "list[subprocess.Popen[str]]") -> None:
    """Wait until all are ready, and start them together."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


@dataclass
class Machine:
    """How long the machine did nothing for this process."""

    longest_stop: float = 0.0


@contextmanager
def machine_watched() -> Iterator[Machine]:
    """Tell how long the machine stops at worst, so that a busy one is not taken for a fast client."""
    machine, ended = Machine(), threading.Event()

    def watch() -> None:
        before = time.monotonic()
        while not ended.wait(0.01):
            now = time.monotonic()
            machine.longest_stop = max(machine.longest_stop, now - before - 0.01)
            before = now

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield machine
    finally:
        ended.set()
        thread.join()


def moments_of(database: Database, rate: float, calls: int, workers: int = 1) -> list[float]:
    """When each of some calls had its turn."""

    async def run() -> list[float]:
        moments: list[float] = []
        enough = asyncio.Event()
        async with shared_limiter(database, "tmdb", rate) as limiter:

            async def work() -> None:
                while len(moments) < calls:
                    await limiter.acquire()
                    moments.append(time.time())
                enough.set()

            working = [asyncio.create_task(work()) for _ in range(workers)]
            await enough.wait()
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
        return moments[:calls]

    return asyncio.run(run())


def gaps(moments: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(moments)]


def typical(waits: list[float]) -> float:
    """The median wait: a busy machine stops a process now and then."""
    return statistics.median(waits)


@pytest.mark.parametrize("workers", [1, 20])
def test_a_process_keeps_the_rate_evenly(database: Database, workers: int) -> None:
    moments = moments_of(database, RATE, CALLS, workers)
    took = moments[-1] - moments[0]
    assert (CALLS - 1) / RATE * 0.95 <= took <= (CALLS - 1) / RATE * 1.3 + 2  # seconds that a busy machine may stop us
    assert typical(gaps(moments)) > 0.7 / RATE


def test_the_first_call_does_not_wait(database: Database) -> None:
    start = time.time()
    (first,) = moments_of(database, 0.5, 1)
    assert first - start < 0.5


def test_a_pause_saves_up_no_turns(database: Database) -> None:
    async def run() -> list[float]:
        moments = []
        async with shared_limiter(database, "tmdb", RATE) as limiter:
            await limiter.acquire()
            await asyncio.sleep(0.5)
            for _ in range(6):
                await limiter.acquire()
                moments.append(time.time())
        return moments

    assert typical(gaps(asyncio.run(run()))) > 0.7 / RATE


def test_turns_that_fell_due_while_the_process_was_held_up_do_not_come_at_once(database: Database) -> None:
    async def run() -> list[float]:
        moments: list[float] = []
        async with shared_limiter(database, "tmdb", 40) as limiter:

            async def work() -> None:
                await limiter.acquire()
                moments.append(time.monotonic())

            working = [asyncio.create_task(work()) for _ in range(40)]
            await asyncio.sleep(0.2)
            time.sleep(0.3)  # noqa: ASYNC251  # twelve turns fall due
            await asyncio.sleep(0.1)
            time.sleep(0.1)  # noqa: ASYNC251  # held up again while they are made up for
            held_up_until = time.monotonic()
            await asyncio.gather(*working)
        return [as_of - held_up_until for as_of in moments if as_of > held_up_until]

    late = asyncio.run(run())
    assert len(late) > 16
    assert min(gaps(late)) > 0.5 / 40
    assert late[-1] < len(late) / 40 + 2


def test_two_processes_keep_the_rate_together(database: Database) -> None:
    address = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", CALLER, address, str(RATE), str(CALLS)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    let_go(processes)
    moments_by_process = [[float(line) for line in process.communicate()[0].split()] for process in processes]
    moments = sorted(chain.from_iterable(moments_by_process))
    assert [len(mine) for mine in moments_by_process] == [CALLS, CALLS]
    took = moments[-1] - moments[0]
    assert (2 * CALLS - 1) / RATE * 0.95 <= took <= (2 * CALLS - 1) / RATE * 1.3
    assert all(mine[-1] - mine[0] > 0.8 * took for mine in moments_by_process)  # neither starves


def test_two_processes_fetch_at_the_pace_and_below_the_services_limit(database: Database) -> None:
    address = database.url.render_as_string(hide_password=False)
    with TmdbEmulator(EmulatorOptions(rate_limit=50)) as tmdb_emulator, machine_watched() as machine:
        ids = tmdb_emulator.world.columns(tmdb_emulator.today).tmdb_id[:FETCHES].tolist()
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", FETCHER, address, tmdb_emulator.tmdb_url, ",".join(map(str, ids[number::2]))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for number in range(2)
        ]  # fmt: skip
        let_go(processes)
        began = time.monotonic()
        for process in processes:
            process.communicate()
        took = time.monotonic() - began
        responses = tmdb_emulator.requests["movie"]
        busiest = tmdb_emulator.max_requests_in_any_second
    held_up = 2 * FASTER_RATE * machine.longest_stop  # calls that a stopped machine lets go all at once
    assert sum(responses.values()) - responses.get(429, 0) == FETCHES
    assert busiest <= 48 + held_up
    assert responses.get(429, 0) <= 0.01 * FETCHES + held_up
    assert FETCHES / FASTER_RATE * 0.9 <= took <= FETCHES / FASTER_RATE * 3 + 5


def test_a_pause_holds_every_process_up(database: Database) -> None:
    async def run() -> float:
        async with shared_limiter(database, "tmdb", 100) as limiter, shared_limiter(database, "tmdb", 100) as another:
            await limiter.acquire()
            await another.acquire()
            began = time.monotonic()
            await limiter.pause(1.0)
            await another.acquire()
            return time.monotonic() - began

    assert asyncio.run(run()) >= 0.95


def test_a_pause_that_ends_earlier_does_not_shorten_one_that_is_on(database: Database) -> None:
    async def run() -> float:
        async with shared_limiter(database, "tmdb", 100) as limiter:
            began = time.monotonic()
            await limiter.pause(1.0)
            await limiter.pause(0.1)
            await limiter.acquire()
            return time.monotonic() - began

    assert asyncio.run(run()) >= 0.95


def test_a_pace_whose_connection_is_lost_opens_another(database: Database) -> None:
    async def run() -> None:
        async with shared_limiter(database, "tmdb", 100) as limiter:
            for _ in range(3):
                await limiter.acquire()
                with database.transaction() as connection:
                    connection.exec_driver_sql(
                        "select pg_terminate_backend(pid) from pg_stat_activity "
                        "where datname = current_database() and query like '%%update pipeline.pace%%' "
                        "and pid <> pg_backend_pid()"
                    )
            await limiter.acquire()

    asyncio.run(asyncio.wait_for(run(), 30))


def test_a_pace_whose_database_stays_away_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_TO_RECONNECT", 0.3)

    async def run() -> None:
        async with shared_limiter(Database("postgresql://nobody@127.0.0.1:1/none"), "tmdb", 100) as limiter:
            await limiter.acquire()

    with pytest.raises(psycopg.OperationalError):
        asyncio.run(asyncio.wait_for(run(), 30))


def test_without_a_limit_the_database_is_not_asked() -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none")
    moments = moments_of(nowhere, 0, 1000)
    assert moments[-1] - moments[0] < 1


def test_a_service_without_a_pace_is_an_error(database: Database) -> None:
    async def run() -> None:
        async with shared_limiter(database, "imdb", RATE) as limiter:
            await limiter.acquire()

    with pytest.raises(LookupError, match="imdb"):
        asyncio.run(run())
