"""A process that runs jobs on a world of tests, and ends itself where it is told to.

Run as `python -m movie_assets_tests.chaos.worker` with one JSON argument; says "ready" and waits for a line first, then
says the name of each job as it begins.
"""

import json
import os
import signal
import sys
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import sqlalchemy as sa
from pydantic import SecretStr

from movie_assets.resources.openai_embedder import OpenAiEmbedder
from movie_assets.resources.postgres import Database
from movie_assets_tests.chaos.conftest import Stage, strike
from movie_assets_tests.chaos.truth import KEY, TOKEN
from movie_assets_tests.conftest import Pipeline, settings_for


@dataclass(frozen=True)
class Order:
    """What to run, where; `kill` is a stage, `when` before or after its statement; or it hangs there."""

    address: str
    tmdb_url: str
    export_url: str
    openai_url: str
    day: str
    jobs: list[str]
    kill: dict[str, Any] | None = None
    when: str = "after"
    by_the_clock: bool = False
    hang: dict[str, Any] | None = None  # a stage in whose transaction a statement runs for a minute


def main() -> None:
    """Do as ordered; the exit code tells how many jobs failed, the last line what they said."""
    order = Order(**json.loads(sys.argv[1]))
    services = SimpleNamespace(tmdb_url=order.tmdb_url, export_url=order.export_url)
    database = Database(order.address)
    if order.kill is not None:
        strike(database, Stage(**order.kill), lambda: os.kill(os.getpid(), signal.SIGKILL), order.when)
    if order.hang is not None:
        here: list[sa.Connection] = []
        sa.event.listen(database.engine, "before_cursor_execute", lambda connection, *_: here.append(connection))
        strike(database, Stage(**order.hang), lambda: here[-1].exec_driver_sql("select pg_sleep(60)"), "after")
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(
            database, settings_for(cast("Any", services), tmdb_api_token=TOKEN), instance,
            OpenAiEmbedder("text-embedding-3-small", 64, SecretStr(KEY), order.openai_url),
            date.fromisoformat(order.day), by_the_clock=order.by_the_clock,
        )  # fmt: skip
        print("ready", flush=True)  # noqa: T201  # the test waits for it
        sys.stdin.readline()
        failed = 0
        for job in order.jobs:
            print(job, flush=True)  # noqa: T201  # the same
            failed += not pipeline.run(job, batches=("batch_00", "batch_03")).success
    sys.exit(failed)


if __name__ == "__main__":
    main()
