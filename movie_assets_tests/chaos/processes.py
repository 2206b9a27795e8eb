"""Processes that work on a pipeline's catalogue, and what the server still knows of them when they are gone."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from movie_assets_tests.chaos.conftest import Chaos
from movie_assets_tests.conftest import address_of

LONGEST_ORPHAN = 1.5  # seconds; the server looks every second whether a client is still there, then rolls back


@contextmanager
def worker(chaos: Chaos, *jobs: str, **order: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that is ready to run jobs, and killed in the end if it still runs."""
    pipeline = chaos.pipeline
    whole = {
        "address": chaos.database.url.render_as_string(hide_password=False),
        "tmdb_url": pipeline.serving.tmdb_url,
        "export_url": pipeline.serving.export_url,
        "openai_url": pipeline.serving.openai_url,
        "day": pipeline.day.isoformat(),
        "jobs": jobs,
        **order,
    }
    with chaos.log.open("a") as log, subprocess.Popen(
        [sys.executable, "-m", "movie_assets_tests.chaos.worker", json.dumps(whole)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
    ) as process:  # fmt: skip
        try:
            wait_until_begun(process, "ready")
            yield process
        finally:
            process.kill()


def wait_until_begun(process: subprocess.Popen[str], job: str) -> None:
    """Return when a worker says that it begins a job."""
    assert process.stdout is not None
    for line in process.stdout:
        if line == f"{job}\n":
            return
    raise AssertionError(f"{job} never began")


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


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
