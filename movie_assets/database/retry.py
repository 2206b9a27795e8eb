"""Classifying errors of the database: repeat the work, wait for the server, or stop.

This module decides; `database.Database` repeats work, by a `retries.policy.RetryPolicy`.
"""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
import sqlalchemy as sa

from movie_assets.database.embedded import full_disk

SECONDS_TO_WAIT = 60.0  # a restart, a failover or a peak of clients takes less
ATTEMPTS_AT_A_COLLISION = 3
ATTEMPTS_AT_A_LOST_CONNECTION = 5  # at the same work, which may itself crash the server
FIRST_WAIT = 0.1
LONGEST_WAIT = 2.0

Action = Literal["redo", "reconnect", "wait", "stop"]
log = logging.getLogger(__name__)


class GivenUpError(Exception):
    """All attempts failed. The message says what happened and what to do."""


@dataclass(frozen=True)
class ErrorClass:
    """A kind of failure: the action of the code, a description, and what a person has to do if the action fails."""

    action: Action
    happened: str
    to_do: str


READ_ONLY = "25006"
BLOCKERS = "select pid, state, query from pg_stat_activity where pid in (select unnest(pg_blocking_pids(PID)))"
COLLISION = ErrorClass("redo", "other transactions got in the way again and again", "Run again.")
LOST = ErrorClass(
    "reconnect", "the connection to the database was lost or refused",
    "See that the server is up and has a connection left (max_connections), and its log; then run again.",
)  # fmt: skip
NO_CONNECTION_LEFT = ErrorClass(
    "wait", "the database server has no connection left",
    "Raise its max_connections or let fewer clients run, then run again.",
)  # fmt: skip
ERROR_CLASSES = {
    "40001": COLLISION,
    "40P01": COLLISION,
    READ_ONLY: ErrorClass(
        "wait", "the database takes no writes (it is a standby, or default_transaction_read_only is on)",
        "Let MOVIE_ASSETS_DATABASE_URL name the primary, then run again.",
    ),
    "25P03": LOST,
    "53300": NO_CONNECTION_LEFT,
    "57P01": LOST,
    "57P02": LOST,
    "57P03": LOST,
    "57P05": LOST,
    "53100": ErrorClass("stop", "the database server's disk is full", "Make room there, then run again."),
    "53200": ErrorClass("stop", "the database server is out of memory", "Give it more, then run again."),
    "55P03": ErrorClass(
        "stop", "another session held a lock for longer than a statement waits",
        f"Find it while it waits ({BLOCKERS}), end it, then run again.",
    ),
    "57014": ErrorClass(
        "stop", "the server ended a statement that took too long, or that an administrator cancelled",
        "Run again when the server is less busy.",
    ),
}  # fmt: skip
CONNECTION_ERRORS = (sa.exc.OperationalError, sa.exc.InterfaceError)


def sentence_of(error: sa.exc.DBAPIError | psycopg.Error, data: Path | None = None) -> str | None:
    """Return a message for a person after the last attempt; None for an error of the statement itself.

    `data` is the folder of the embedded server, if the database is there.
    """
    error_class = error_class_of(error)
    if error_class is None:
        return None
    if data and (full := full_disk(data)):
        return full
    return (
        f"{error_class.happened} ({_server_message(error)}); everything committed before is kept. {error_class.to_do}"
    )


def error_class_of(error: sa.exc.DBAPIError | psycopg.Error) -> ErrorClass | None:
    """Return the kind of failure; None for an error of the statement or its data, which repetition cannot change.

    The text of the server's message is not used, as it may be in any language. libpq has no SQLSTATE for a refused
    connection, so a connection beyond the server's limit counts as lost.
    """
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)  # psycopg's name, or psycopg2's
    if state is not None:
        return LOST if state.startswith("08") else ERROR_CLASSES.get(state)
    if not isinstance(error, (*CONNECTION_ERRORS, psycopg.OperationalError, psycopg.InterfaceError)):
        return None
    return LOST


class DatabaseRetries:
    """Counts the attempts at one unit of work, and decides how long to wait before the next; see the bounds above."""

    def __init__(self, *, is_used_up: bool, data: Path | None = None) -> None:
        self._data = data
        self.began = False  # whether this attempt got a connection
        self._seconds = 0.0 if is_used_up else SECONDS_TO_WAIT
        self._collisions = self._losses = self._waits = 0
        self._away_since: float | None = None

    def seconds_after(self, error: Exception) -> float | None:
        """Return the seconds until the next attempt; None for an error of the statement itself or not of the database.

        Raises GivenUpError after the last attempt.
        """
        if not isinstance(error, (sa.exc.DBAPIError, psycopg.Error)):
            return None
        error_class = error_class_of(error)
        if error_class is None:
            return None
        if self._data and (full := full_disk(self._data)):
            raise GivenUpError(full)
        now, began, self.began = time.monotonic(), self.began, False
        match error_class.action:
            case "redo":
                self._collisions += 1
                if self._collisions < ATTEMPTS_AT_A_COLLISION:
                    log.warning("another transaction got in the way (%s); the work is repeated", _server_message(error))
                    return self._collisions * FIRST_WAIT
            case "reconnect" if began:
                self._losses, self._away_since, self._waits = self._losses + 1, None, 0
                if self._losses < ATTEMPTS_AT_A_LOST_CONNECTION:
                    log.warning("%s; the work is repeated", error_class.happened)
                    return FIRST_WAIT
            case "reconnect" | "wait":
                wait = self._next_wait(error_class, error, now)
                if wait is not None:
                    return wait
        raise GivenUpError(sentence_of(error, self._data)) from None

    def _next_wait(self, error_class: ErrorClass, error: sa.exc.DBAPIError | psycopg.Error, now: float) -> float | None:
        """Return the seconds to wait for an unreachable server; None when the limit is reached."""
        if self._away_since is None:
            self._away_since = now
            if self._seconds:
                log.warning(
                    "%s (%s); waiting up to %.0f s", error_class.happened, _server_message(error), self._seconds
                )
        wait = min(LONGEST_WAIT, FIRST_WAIT * float(2**self._waits))
        self._waits += 1
        return wait if now + wait - self._away_since <= self._seconds else None


def _server_message(error: sa.exc.DBAPIError | psycopg.Error) -> str:
    """Return the server's message, without the statement and its parameters."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return " ".join(str(cause).split())[:300]
