"""A run's lock: held while its process lives, taken again after Postgres dropped it, gone with a SIGKILL."""

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from movie_assets.database import run_lock
from movie_assets.database.database import Database
from movie_assets.orchestration.orphaned_runs import UnlockedRun

RUN = "00000000-0000-4000-8000-000000000001"
OTHER = RUN.replace("1", "2")
HOLD = """
import sys, time
from movie_assets.database.database import Database
from movie_assets.database.run_lock import run_lock
with run_lock(Database(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    time.sleep(60)
"""


def held(database: Database) -> set[str]:
    dead = {row.run_id for row in database.fetch(UnlockedRun, "runs_without_a_lock", run_ids=[RUN, OTHER])}
    return {RUN, OTHER} - dead


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_lock_is_held_as_long_as_the_run(database: Database) -> None:
    with run_lock.run_lock(database, RUN):
        assert held(database) == {RUN}
    wait_until(lambda: not held(database))  # Postgres hears of it a moment later


def test_two_runs_hold_two_locks(database: Database) -> None:
    with run_lock.run_lock(database, RUN), run_lock.run_lock(database, OTHER):
        assert held(database) == {RUN, OTHER}


def test_a_lock_that_postgres_dropped_is_taken_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_lock, "SECONDS_BETWEEN_POLLS", 0.2)
    with run_lock.run_lock(database, RUN):
        with database.transaction() as connection:
            connection.exec_driver_sql(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'movie_assets run lock' and datname = current_database()"
            )
        wait_until(lambda: not held(database))
        wait_until(lambda: held(database) == {RUN})
    wait_until(lambda: not held(database))  # Postgres hears of it a moment later


def test_a_lock_goes_with_a_process_that_is_killed(database: Database) -> None:
    address = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", HOLD, address, RUN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert held(database) == {RUN}
        process.kill()
    wait_until(lambda: not held(database))
