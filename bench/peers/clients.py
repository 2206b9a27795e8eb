"""Clients that search at the same time, each a forked process with a connection of its own.

Ours and the other libraries' scripts import it, so it knows only the standard library.
"""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from multiprocessing.synchronize import Barrier
from statistics import median, quantiles
from typing import Any, NamedTuple

WARM_UP = 5  # questions that are in nobody's time
Search = Callable[[int], list[int]]  # the ids that are found for the question of a number


class Asked(NamedTuple):
    """Milliseconds of each search, searches a second of all clients, and the ids found by question."""

    milliseconds: list[float]
    per_second: float
    found: dict[int, list[int]]


def ask_at_once(connect: Callable[[], Search], questions: int, clients: int, seconds: float) -> Asked:
    """Run all clients for some seconds, and until all questions were asked; each begins with another question.

    `connect` is called in each client.
    """
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(clients)
    results: Any = context.SimpleQueue()
    starts = [number * questions // clients for number in range(clients + 1)]
    processes = [
        context.Process(target=_client, args=(connect, questions, start, end - start, seconds, barrier, results))
        for start, end in pairwise(starts)
    ]
    for process in processes:
        process.start()
    asked: list[Asked] = [results.get() for _ in processes]
    for process in processes:
        process.join()
    if ended := [process.exitcode for process in processes if process.exitcode]:
        raise RuntimeError(f"{len(ended)} of {clients} clients failed; their errors are above")
    milliseconds = [each for client in asked for each in client.milliseconds]
    found = {number: ids for client in asked for number, ids in client.found.items()}
    return Asked(milliseconds, sum(client.per_second for client in asked), found)


def _client(
    connect: Callable[[], Search],
    questions: int,
    start: int,
    fewest: int,
    seconds: float,
    barrier: Barrier,
    results: Any,
) -> None:
    try:
        search = connect()
        for number in range(WARM_UP):
            search((start + number) % questions)
        barrier.wait(timeout=120)
        milliseconds: list[float] = []
        found: dict[int, list[int]] = {}
        began = now = time.perf_counter()
        number = start
        while now - began < seconds or len(milliseconds) < fewest:
            found[number % questions] = search(number % questions)
            then, now = now, time.perf_counter()
            milliseconds.append(1000 * (now - then))
            number += 1
        results.put(Asked(milliseconds, len(milliseconds) / (now - began), found))
    except BaseException:
        barrier.abort()
        results.put(Asked([], 0.0, {}))  # the caller must not wait for ever
        raise


def recall_of(found: dict[int, list[int]], wanted: Sequence[Sequence[int]], count: int) -> float:
    """The share of the nearest ids that was found; `wanted` has every id that is as similar as the last of `count`."""
    shares = [len(set(ids) & set(wanted[n])) / min(count, len(wanted[n])) for n, ids in found.items()]
    return sum(min(share, 1.0) for share in shares) / len(shares)


def times(rounds: Sequence[Asked]) -> dict[str, float]:
    """Percentiles in milliseconds, and searches a second: those of the median round."""
    cuts = [quantiles(asked.milliseconds * 2, n=100, method="inclusive") for asked in rounds]  # twice: one may be all
    figures = {f"p{share}_ms": median(cut[share - 1] for cut in cuts) for share in (50, 95, 99)}
    return figures | {"per_second": median(asked.per_second for asked in rounds)}
