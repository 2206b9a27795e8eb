"""Connections to one service, each with an HTTP client of its own.

An httpx client iterates over all connections of its pool twice in each request. With twenty connections in one pool
that takes longer than everything else in a request. The caller decides what is requested over a connection.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache

import httpx

ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)


@cache
def certificates() -> ssl.SSLContext:
    """Return the authorities that are trusted, read once in a process: it takes longer than the rest of a client."""
    return httpx.create_ssl_context()


class Connections:
    """A pool of clients, each lent to one caller at a time. The client that was used last is lent next."""

    def __init__(self) -> None:
        self._free = asyncio.LifoQueue[httpx.AsyncClient]()

    def add(self, client: httpx.AsyncClient) -> None:
        """Add a client to the pool."""
        self._free.put_nowait(client)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncClient]:
        """Borrow a client; waits while all of them are lent."""
        client = await self._free.get()
        try:
            yield client
        finally:
            self._free.put_nowait(client)


@asynccontextmanager
async def connections(
    count: int, headers: dict[str, str], timeouts: httpx.Timeout, transport: httpx.AsyncBaseTransport | None
) -> AsyncIterator[Connections]:
    """Yield a pool of `count` clients, which connect when they are first used; leaving closes them."""
    pool = Connections()
    async with AsyncExitStack() as stack:
        for _ in range(count):
            client = httpx.AsyncClient(
                headers=headers, limits=ONE, timeout=timeouts, transport=transport, verify=certificates()
            )
            pool.add(await stack.enter_async_context(client))
        yield pool
