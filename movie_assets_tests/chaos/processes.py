"""Processes that work on a pipeline's catalogue, and what the server still knows of them when they are gone.

They are forks of a process that has imported all there is to import, so that many can be killed in little time.
"""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

import psycopg

from movie_assets_tests.chaos.conftest import Chaos
from movie_assets_tests.chaos.worker import READY, Order, work
from movie_assets_tests.conftest import address_of

LONGEST_RUN = 300.0  # seconds
LONGEST_ORPHAN = 1.0  # seconds; the server looks twice a second whether a client is still there, then rolls back
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([work.__module__])


@dataclass(frozen=True)
class Worker:
    """A process that is ready to run jobs, or runs them."""

    process: ForkServerProcess
    line: Connection

    def go(self) -> None:
        """Let it begin."""
        self.line.send("go")

    def wait_until_begun(self, job: str) -> None:
        """Return when it says that it begins a job; EOFError when it ended before."""
        while self.line.recv() != job:
            pass

    def wait(self) -> int:
        """Its exit code, below zero the signal that ended it."""
        self.process.join(LONGEST_RUN)
        assert self.process.exitcode is not None, f"it still runs after {LONGEST_RUN:g} s"
        return self.process.exitcode

    def kill(self) -> None:
        """Kill it with -9."""
        self.process.kill()


@contextmanager
def worker(chaos: Chaos, *jobs: str, **order: Any) -> Iterator[Worker]:
    """A process that is ready to run jobs, and killed in the end if it still runs."""
    pipeline = chaos.pipeline
    whole = Order(
        address=chaos.database.url.render_as_string(hide_password=False),
        tmdb_url=pipeline.serving.tmdb_url,
        export_url=pipeline.serving.export_url,
        openai_url=pipeline.serving.openai_url,
        day=pipeline.day,
        log=chaos.log,
        jobs=jobs,
        media=pipeline.settings.media,
        **order,
    )
    ours, theirs = FORKS.Pipe()
    process = FORKS.Process(target=work, args=(whole, theirs))
    process.start()
    theirs.close()
    started = Worker(process, ours)
    with ours:
        try:
            started.wait_until_begun(READY)
            yield started
        finally:
            process.kill()
            process.join()


def seconds_until_nobody_is_left(chaos: Chaos) -> float:
    """How long the server keeps what a killed client left: connections with their locks and transactions."""
    chaos.database.close()
    began = time.monotonic()
    left = f"select count(*) from pg_stat_activity where datname = '{chaos.database.url.database}'"
    with psycopg.connect(address_of(chaos.server, "postgres"), autocommit=True) as administrator:
        while administrator.execute(left.encode()).fetchone() != (0,):
            assert time.monotonic() - began < 30
            time.sleep(0.02)
    return time.monotonic() - began


def wait_for(chaos: Chaos, condition: str) -> None:
    """Return when a session on the pipeline's database is in some state."""
    found = f"select exists (select from pg_stat_activity where datname = '{chaos.database.url.database}' and "
    deadline = time.monotonic() + 300
    with psycopg.connect(address_of(chaos.server, "postgres"), autocommit=True) as administrator:
        while administrator.execute(f"{found} {condition})".encode()).fetchone() != (True,):
            assert time.monotonic() < deadline
            time.sleep(0.02)
