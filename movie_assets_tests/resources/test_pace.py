"""The shared pace: even, and the same for one process or several."""

import asyncio
import statistics
import subprocess
import sys
import time
from itertools import chain, pairwise

import pytest

from movie_assets.resources.pace import shared_pace
from movie_assets.resources.postgres import Database

RATE = 10.0
CALLS = 12

# Prints the moment of each of its calls; a process of its own.
CALLER = """
import asyncio, sys, time
from movie_assets.resources.pace import shared_pace
from movie_assets.resources.postgres import Database

async def run(address, rate, calls):
    async with shared_pace(Database(address), "tmdb", rate) as pace:
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(calls):
            await pace.turn()
            print(time.time(), flush=True)

asyncio.run(run(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
"""


def moments_of(database: Database, rate: float, calls: int, workers: int = 1) -> list[float]:
    """When each of some calls had its turn."""

    async def run() -> list[float]:
        moments: list[float] = []
        enough = asyncio.Event()
        async with shared_pace(database, "tmdb", rate) as pace:

            async def work() -> None:
                while len(moments) < calls:
                    await pace.turn()
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
    """The median wait: a busy machine stops a process now and then, and the calls that it held up then come at once."""
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
        async with shared_pace(database, "tmdb", RATE) as pace:
            await pace.turn()
            await asyncio.sleep(0.5)
            for _ in range(6):
                await pace.turn()
                moments.append(time.time())
        return moments

    assert typical(gaps(asyncio.run(run()))) > 0.7 / RATE


def test_two_processes_keep_the_rate_together(database: Database) -> None:
    address = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", CALLER, address, str(RATE), str(CALLS)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    moments_by_process = [[float(line) for line in process.communicate()[0].split()] for process in processes]
    moments = sorted(chain.from_iterable(moments_by_process))
    assert [len(mine) for mine in moments_by_process] == [CALLS, CALLS]
    took = moments[-1] - moments[0]
    assert (2 * CALLS - 1) / RATE * 0.95 <= took <= (2 * CALLS - 1) / RATE * 1.3
    assert all(mine[-1] - mine[0] > 0.8 * took for mine in moments_by_process)  # neither starves


def test_without_a_limit_the_database_is_not_asked() -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none")
    moments = moments_of(nowhere, 0, 1000)
    assert moments[-1] - moments[0] < 1


def test_a_service_without_a_pace_is_an_error(database: Database) -> None:
    async def run() -> None:
        async with shared_pace(database, "imdb", RATE) as pace:
            await pace.turn()

    with pytest.raises(LookupError, match="imdb"):
        asyncio.run(run())
