"""A process of its own: it runs jobs on a world of tests, and ends itself at the given place."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from movie_assets.database.database import Database
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets_tests.chaos.conftest import TEXTS_PER_REQUEST, Stage, strike, work_in_small_portions
from movie_assets_tests.chaos.truth import KEY, TOKEN
from movie_assets_tests.conftest import Pipeline, settings_for

READY = "ready"


@dataclass(frozen=True)
class Order:
    """What to run, where; a signal ends it `when`, before or after the statement of a stage, or it hangs there."""

    address: str
    tmdb_url: str
    export_url: str
    openai_url: str
    day: date
    log: Path
    jobs: tuple[str, ...]
    media: tuple[str, ...] = ("movies",)
    kill: Stage | None = None
    by: signal.Signals = signal.SIGKILL
    when: str = "after"
    by_the_clock: bool = False
    zone: str | None = None  # of the process' clock
    hang: Stage | None = None  # in whose transaction a statement runs for a minute


def work(order: Order, line: Connection) -> None:
    """Say that one is ready, wait for a word, then do as ordered, saying the name of each job as it begins.

    The exit code is the number of jobs that failed; the log has their messages.
    """
    with order.log.open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    if order.zone is not None:
        os.environ["TZ"] = order.zone
        time.tzset()
    work_in_small_portions(pytest.MonkeyPatch())  # never taken back: the process ends
    services = SimpleNamespace(tmdb_url=order.tmdb_url, export_url=order.export_url)
    database = Database(order.address)
    if order.kill is not None:
        strike(database, order.kill, lambda: os.kill(os.getpid(), order.by), order.when)
    if order.hang is not None:
        here: list[sa.Connection] = []
        sa.event.listen(database.engine, "before_cursor_execute", lambda connection, *_: here.append(connection))
        strike(database, order.hang, lambda: here[-1].exec_driver_sql("select pg_sleep(60)"), "after")
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(
            database, settings_for(cast("Any", services), tmdb_api_token=TOKEN, media=order.media), instance,
            OpenAiEmbedder(
                "text-embedding-3-small", 64, SecretStr(KEY), order.openai_url, texts_per_request=TEXTS_PER_REQUEST
            ),
            order.day, by_the_clock=order.by_the_clock,
        )  # fmt: skip
        line.send(READY)
        line.recv()
        failed = 0
        for job in order.jobs:
            line.send(job)
            result = pipeline.run(job, batches=("batch_00", "batch_03"))
            failed += not result.success
            for event in result.all_events:
                if event.event_type_value == "STEP_FAILURE":
                    print(event.step_failure_data.error, flush=True)  # noqa: T201  # into the log
    sys.exit(failed)
