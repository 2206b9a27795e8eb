"""Connections to one service, each with an HTTP client of its own.

A client looks at every connection of its pool twice a request; with twenty in one pool that takes longer than all else
that a request takes. What is asked over a connection is the caller's business.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx

ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)


class Connections:
    """Clients that are lent, to one caller at a time; the one that was used last is the first to be lent again."""

    def __init__(self) -> None:
        self._free = asyncio.LifoQueue[httpx.AsyncClient]()

    def add(self, client: httpx.AsyncClient) -> None:
        """Lend this client, too."""
        self._free.put_nowait(client)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncClient]:
        """Have a client for oneself; waits while all are lent."""
        client = await self._free.get()
        try:
            yield client
        finally:
            self._free.put_nowait(client)


@asynccontextmanager
async def connections(
    most: int, headers: dict[str, str], seconds: httpx.Timeout, transport: httpx.AsyncBaseTransport | None
) -> AsyncIterator[Connections]:
    """Up to so many connections, opened as they are needed; leaving closes them."""
    certificates = httpx.create_ssl_context()  # read once, as it takes longer than the rest of a client
    lent = Connections()
    async with AsyncExitStack() as stack:
        for _ in range(most):
            client = httpx.AsyncClient(
                headers=headers, limits=ONE, timeout=seconds, transport=transport, verify=certificates
            )
            lent.add(await stack.enter_async_context(client))
        yield lent
