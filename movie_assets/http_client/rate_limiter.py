"""One pace for a service, shared by every process and machine that works on the same database.

Keeps the rate and pauses, and nothing else: who may call, and what happens after an answer, is the client's
business.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from movie_assets.database.addresses import dsn_of
from movie_assets.database.database import Database, query_text
from movie_assets.database.sessions import start_async_session

SECONDS_TO_RECONNECT = 60.0  # a restart of the server takes less
FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0
CATCHING_UP = 1.03  # times the rate


class RateLimiter:
    """Hands out turns: `rate` a second in all, evenly spaced. A rate of 0 means no limit and needs no database.

    Turns that fell due while their process was held up are made up for little by little, not all at once: a service
    refuses more than its limit in any second, and a refusal holds everybody up.
    """

    def __init__(self, database: Database, service: str, rate: float) -> None:
        self._dsn = "" if rate == 0 else dsn_of(database.url)
        self._service = service
        self._rate = rate
        self._one_at_a_time = asyncio.Lock()
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._going = asyncio.Lock()
        self._next_at = 0.0  # by the loop's clock

    async def turn(self) -> None:
        """Wait for the caller's turn."""
        if self._rate == 0:
            return
        seconds = await self._moved("reserve_call", interval=1 / self._rate)
        await asyncio.sleep(max(0.0, seconds))
        now = asyncio.get_running_loop().time
        async with self._going:
            await asyncio.sleep(max(0.0, self._next_at - now()))
            self._next_at = now() + 1 / (CATCHING_UP * self._rate)

    async def pause(self, seconds: float) -> None:
        """Let nobody have a turn for some seconds, whichever process they are in."""
        if self._rate != 0:
            await self._moved("pause_calls", seconds=seconds)

    async def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            await self._connection.close()

    async def _moved(self, query: str, **parameters: float) -> float:
        statement = query_text(query).encode()
        async with self._one_at_a_time:
            row = await self._asked(statement, {"service": self._service, **parameters})
        if row is None:
            raise LookupError(f"pipeline.pace has no row for {self._service}")
        return float(row[0])

    async def _asked(self, statement: bytes, parameters: dict[str, Any]) -> tuple[Any, ...] | None:
        """One statement's row, on a new connection when the one there was is lost; OperationalError after a minute."""
        give_up_at = asyncio.get_running_loop().time() + SECONDS_TO_RECONNECT
        wait = FIRST_WAIT
        while True:
            try:
                if self._connection is None:
                    self._connection = await psycopg.AsyncConnection.connect(
                        self._dsn, autocommit=True, connect_timeout=10
                    )
                    await start_async_session(self._connection)
                cursor = await self._connection.execute(statement, parameters)
                return await cursor.fetchone()
            except (psycopg.OperationalError, psycopg.InterfaceError):
                if self._connection is not None:
                    await self._connection.close()
                    self._connection = None
                if asyncio.get_running_loop().time() + wait > give_up_at:
                    raise
                await asyncio.sleep(wait)
                wait = min(LONGEST_WAIT, 2 * wait)


@asynccontextmanager
async def shared_limiter(database: Database, service: str, rate: float) -> AsyncIterator[RateLimiter]:
    """Open a pace for the length of a session."""
    limiter = RateLimiter(database, service, rate)
    try:
        yield limiter
    finally:
        await limiter.close()
