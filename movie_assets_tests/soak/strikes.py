"""What strikes a run from outside: SIGKILL, a restart of Postgres, the end of its sessions."""

import os
import random
import signal
import time

import psycopg
import sqlalchemy as sa
from dagster_postgres.utils import DagsterPostgresException

from movie_assets_tests.chaos.server import Server
from movie_assets_tests.deployment import Deployment, wait_until
from movie_assets_tests.soak.gauges import children_of
from movie_assets_tests.soak.troubles import Strike

ENDED = ("SUCCESS", "FAILURE", "CANCELED")
LATEST = 4.0  # seconds after the run began; at 50,000 ids most take longer
NO_ANSWER = (sa.exc.DBAPIError, psycopg.OperationalError, DagsterPostgresException)  # while Postgres is away


def status_of(deployment: Deployment, run_id: str) -> str:
    """A run's status; empty while Postgres does not answer."""
    try:
        return deployment.status(run_id)
    except NO_ANSWER:
        return ""


def strike(deployment: Deployment, run_id: str, what: Strike, chance: random.Random) -> int:
    """Strike a run at some moment of its first seconds; tells how many processes or sessions that ended."""
    wait_until(lambda: status_of(deployment, run_id) in ("STARTED", *ENDED), 300, f"run {run_id} starts")
    time.sleep(chance.uniform(0.2, LATEST))
    if what == "kill the run":
        return _kill(deployment, run_id)
    if what == "end our sessions":
        return _end_sessions(deployment)
    server = Server(_server(deployment))
    server.stop("immediate")
    time.sleep(chance.uniform(0.0, 2.0))
    server.start()
    return 1


def _kill(deployment: Deployment, run_id: str) -> int:
    pid = deployment.process_of(run_id)
    if pid is None or pid not in children_of(deployment.processes["code"].pid):
        return 0  # it had ended before
    os.kill(pid, signal.SIGKILL)
    return 1


def _server(deployment: Deployment) -> str:
    address = deployment.settings.database_url
    assert address is not None
    return address.get_secret_value().replace("/movie_assets?", "/?")


def _end_sessions(deployment: Deployment) -> int:
    """End every session on the catalogue and on Dagster's records but this one."""
    with psycopg.connect(_server(deployment).replace("/?", "/postgres?"), autocommit=True) as connection:
        ended = connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname like 'movie_assets%'"
        )
        return len(ended.fetchall())
