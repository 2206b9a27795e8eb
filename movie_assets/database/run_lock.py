"""A lock that each run holds while its process lives, so that runs whose process died can be recognised.

Dagster marks a run as failed when its code server sees the end of the process. When both end together (a power cut),
the run would stay started for ever and keep its place in the queue. `orchestration.orphaned_runs` marks such runs as
failed, and `runs.run_log` closes their rows of the run log; both use `pipeline.run_lives`. A run's steps share its
process, so one lock for each run is enough.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from movie_assets.database.addresses import dsn_of
from movie_assets.database.database import Database
from movie_assets.database.sessions import KEEPALIVES, start_session

SECONDS_BETWEEN_POLLS = 10.0
# Shared, as two connections hold it: the command that creates a run, already before that, and the run's own resource.
TAKE = b"select pg_advisory_lock_shared(x'6D72'::integer, pipeline.run_lock_number(%s))"


@contextmanager
def run_lock(database: Database, run_id: str) -> Iterator[None]:
    """Hold the run's lock on a connection of its own, which is opened again when Postgres drops it.

    The lock is released with the process, however it ends. Raises psycopg.Error when the first attempt fails.
    """
    connection = _take(database, run_id)
    ended = threading.Event()
    keeper = threading.Thread(target=_keep, args=(database, run_id, connection, ended), name="run-lock", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join(SECONDS_BETWEEN_POLLS)


def _take(database: Database, run_id: str) -> psycopg.Connection:
    connection = psycopg.connect(
        dsn_of(database.url), autocommit=True, connect_timeout=10, application_name="movie_assets run lock"
    )
    try:
        start_session(connection, KEEPALIVES)
    except psycopg.Error:
        connection.close()
        raise
    connection.execute(TAKE, (run_id,))
    return connection


def _keep(database: Database, run_id: str, connection: psycopg.Connection, ended: threading.Event) -> None:
    while not ended.wait(SECONDS_BETWEEN_POLLS):
        try:
            if connection.closed:
                connection = _take(database, run_id)
            connection.execute(b"select")
        except psycopg.Error:
            connection.close()
    # Closing alone would keep the lock until the server's process has ended, a little later.
    with suppress(psycopg.Error):  # without a server there is no lock either
        connection.execute(b"select pg_advisory_unlock_all()")
    connection.close()
