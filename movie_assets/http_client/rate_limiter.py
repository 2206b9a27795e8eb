"""A rate limiter for a service, shared by all processes and machines that work on the same database.

It knows the rate and pauses. The client decides which calls are made and what happens after a response.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from movie_assets.database.addresses import DatabaseError, dsn_of
from movie_assets.database.database import Database
from movie_assets.database.queries import query_text
from movie_assets.database.sessions import start_async_session
from movie_assets.retries.policy import RetryPolicy

SECONDS_TO_RECONNECT = 60.0  # a restart of the server takes less
FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0
CONNECTION_ERRORS = (psycopg.OperationalError, psycopg.InterfaceError)
CATCHING_UP = 1.03  # times the rate, for permits that are overdue


class RateLimiter:
    """Gives permits for calls: `rate` a second in all, evenly spaced. A rate of 0 is no limit and needs no database.

    Permits that became due while their process was delayed are used one after the other, not all at once: a service
    rejects more calls than its limit in any second, and a rejection delays all processes.
    """

    def __init__(self, database: Database, service: str, rate: float) -> None:
        self._database = database
        self._dsn = "" if rate == 0 else dsn_of(database.url)
        self._service = service
        self._rate = rate
        self._connection_lock = asyncio.Lock()
        self._connection: psycopg.AsyncConnection | None = None
        self._spacing_lock = asyncio.Lock()
        self._next_at = 0.0  # by the event loop's clock

    async def acquire(self) -> None:
        """Wait for a permit to make one call."""
        if self._rate == 0:
            return
        seconds = await self._reserve("reserve_call", interval=1 / self._rate)
        await asyncio.sleep(max(0.0, seconds))
        now = asyncio.get_running_loop().time
        async with self._spacing_lock:
            await asyncio.sleep(max(0.0, self._next_at - now()))
            self._next_at = now() + 1 / (CATCHING_UP * self._rate)

    async def pause(self, seconds: float) -> None:
        """Give no permit for some seconds, in any process."""
        if self._rate != 0:
            await self._reserve("pause_calls", seconds=seconds)

    async def close(self) -> None:
        """Close the connection to the database."""
        if self._connection is not None:
            await self._connection.close()

    async def _reserve(self, query: str, **parameters: float) -> float:
        """Run a query that moves the time of the next permit; return the seconds until that time.

        Raises OperationalError when there is no connection for a minute, DatabaseError at once on a full disk.
        """
        statement = query_text(query).encode()
        policy = RetryPolicy(
            CONNECTION_ERRORS, seconds=SECONDS_TO_RECONNECT, first_wait=FIRST_WAIT, longest_wait=LONGEST_WAIT
        )
        async with self._connection_lock:
            row = await policy.run_async(
                lambda: self._try_to_fetch(statement, {"service": self._service, **parameters})
            )
        if row is None:
            raise LookupError(f"pipeline.pace has no row for {self._service}")
        return float(row[0])

    async def _try_to_fetch(self, statement: bytes, parameters: dict[str, str | float]) -> tuple[float, ...] | None:
        """Return the row of a statement, on a new connection if the last attempt lost the old one."""
        try:
            if self._connection is None:
                self._connection = await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, connect_timeout=10)
                await start_async_session(self._connection)
            cursor = await self._connection.execute(statement, parameters)
            return await cursor.fetchone()
        except CONNECTION_ERRORS:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None
            if full := self._database.full_disk():  # the server does not come back by itself
                raise DatabaseError(full) from None
            raise


@asynccontextmanager
async def shared_limiter(database: Database, service: str, rate: float) -> AsyncIterator[RateLimiter]:
    """Yield the rate limiter of a service; leaving closes its connection."""
    limiter = RateLimiter(database, service, rate)
    try:
        yield limiter
    finally:
        await limiter.close()
