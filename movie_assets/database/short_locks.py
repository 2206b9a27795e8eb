"""Changes of the schema that never make readers wait for long.

A session that asks for a table while a change waits for its lock waits behind that change. So a change waits for a
fifth of a second, lets the readers pass, and tries again.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import psycopg

from movie_assets.database.addresses import DatabaseError
from movie_assets.database.database import Database, driver_connection
from movie_assets.retries.policy import RetryPolicy

# A session that has waited for a second (deadlock_timeout) is ended if the one that it waits for is waiting for it in
# turn at that moment. So the change waits for a small part of a second only, and gives way.
LOCK_TIMEOUT_SECONDS = 0.2
SECONDS_BETWEEN_LOCK_ATTEMPTS = 1.5
LOCK_ATTEMPTS = 70  # two minutes in all
LOCK_ERRORS = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


class LockHolder(NamedTuple):
    """A session in a transaction that holds a lock on one of our tables."""

    pid: int
    application_name: str | None
    usename: str | None
    state: str | None
    xact_start: datetime


def change_with_short_locks(database: Database, name: str, change: Callable[[psycopg.Connection], None]) -> None:
    """Do a change of the schema in one transaction, which is begun again while other sessions hold its locks.

    `change` gets the driver's connection. Raises DatabaseError with `name`, the change's, and the sessions that hold a
    lock when these are still there after two minutes.
    """
    pause = SECONDS_BETWEEN_LOCK_ATTEMPTS
    policy = RetryPolicy(LOCK_ERRORS, attempts=LOCK_ATTEMPTS, first_wait=pause, longest_wait=pause)
    try:
        policy.run(lambda: _try_to_change(database, change))
    except LOCK_ERRORS:
        raise _lock_error(database, name) from None


def _lock_error(database: Database, name: str) -> DatabaseError:
    """Return the error that names the sessions that hold a lock now."""
    holders = [
        f"process {row.pid} ({row.application_name or 'no name'}, role {row.usename}, {row.state}, "
        f"since {row.xact_start:%H:%M:%S} UTC)"
        for row in database.fetch(LockHolder, "lock_holders")
    ]
    return DatabaseError(
        f"{name} needs a lock that another session holds: {'; '.join(holders) or 'none is left now'}. "
        "Files before it were applied, nothing of it was; end that session (select pg_terminate_backend(…)), and run "
        "`movie-assets migrate` again"
    )


def _try_to_change(database: Database, change: Callable[[psycopg.Connection], None]) -> None:
    with database.transaction() as opened:
        connection = driver_connection(opened)
        # A function may call one of a later file; rewriting a large table has no time limit.
        connection.execute(
            "set local check_function_bodies = off; set local statement_timeout = 0; "
            f"set local lock_timeout = '{LOCK_TIMEOUT_SECONDS:g}s'".encode()
        )
        change(connection)
