"""Queries with a time limit, so that health needs seconds whatever the database is doing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import sqlalchemy as sa

from movie_assets.database.database import Database, fetch, fetch_one, fetch_optional, fetch_value

T = TypeVar("T")
R = TypeVar("R", bound=NamedTuple)
LIMITS = ("set local statement_timeout = '10s'", "set local lock_timeout = '2s'")


class BoundedQueries:
    """Runs each query in a transaction of its own, once: an error is raised and not repeated.

    The transaction is not set to read-only, as one query tests whether the server is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def fetch(self, row_type: type[R], query: str, **parameters: object) -> list[R]:
        """Return the rows of a query."""
        with self._bounded() as connection:
            return fetch(connection, row_type, query, **parameters)

    def fetch_one(self, row_type: type[R], query: str, **parameters: object) -> R:
        """Return the row of a query of exactly one row."""
        with self._bounded() as connection:
            return fetch_one(connection, row_type, query, **parameters)

    def fetch_optional(self, row_type: type[R], query: str, **parameters: object) -> R | None:
        """Return the row of a query of at most one row; None without one."""
        with self._bounded() as connection:
            return fetch_optional(connection, row_type, query, **parameters)

    def fetch_value(self, value_type: type[T], query: str, **parameters: object) -> T:
        """Return the value of a query of one row with one column."""
        with self._bounded() as connection:
            return fetch_value(connection, value_type, query, **parameters)

    @contextmanager
    def _bounded(self) -> Iterator[sa.Connection]:
        with self._database.transaction() as connection:
            for limit in LIMITS:
                connection.execute(sa.text(limit))
            yield connection
