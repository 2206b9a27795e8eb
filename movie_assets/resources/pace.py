"""One pace for a service, shared by every process and machine that works on the same database.

Keeps the rate and nothing else: who may call, and what happens after an answer, is the client's business.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg

from movie_assets.resources.postgres import Database, dsn_of, query_text

Slot = Callable[[], Awaitable[None]]


@asynccontextmanager
async def shared_pace(database: Database, service: str, rate: float) -> AsyncIterator[Slot]:
    """Yield a function that waits for the caller's turn: `rate` turns a second in all, evenly spaced.

    A rate of 0 means no limit; then nothing is asked of the database.
    """
    if rate == 0:
        yield _no_wait
        return
    statement = query_text("reserve_call").encode()
    parameters = {"service": service, "interval": 1 / rate}
    one_at_a_time = asyncio.Lock()
    async with await psycopg.AsyncConnection.connect(dsn_of(database.url), autocommit=True) as connection:

        async def slot() -> None:
            async with one_at_a_time:
                cursor = await connection.execute(statement, parameters)
                row = await cursor.fetchone()
            if row is None:
                raise LookupError(f"pipeline.pace has no row for {service}")
            await asyncio.sleep(max(0.0, row[0]))

        yield slot


async def _no_wait() -> None:
    return None
