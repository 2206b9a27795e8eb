"""Clients that are lent: one connection for calls in a row, no more than allowed for calls at once."""

import asyncio

import httpx

from movie_assets.http_client.connections import connections

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
MOST = 3


def opened_by(calls: int, *, at_once: bool) -> int:
    """How many connections a server sees while so many calls are made."""
    ended: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(end := asyncio.Event())
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(0.01)
                writer.write(REPLY)
        except asyncio.IncompleteReadError:
            writer.close()
            await writer.wait_closed()
        end.set()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connections(MOST, {}, httpx.Timeout(5), None) as lent:

            async def ask() -> None:
                async with lent.one() as http:
                    assert (await http.get(url)).json() == {}

            if at_once:
                await asyncio.gather(*(ask() for _ in range(calls)))
            else:
                for _ in range(calls):
                    await ask()
        for end in ended:
            await end.wait()
        server.close()

    asyncio.run(main())
    return len(ended)


def test_calls_in_a_row_share_a_connection() -> None:
    assert opened_by(5, at_once=False) == 1


def test_calls_at_once_wait_for_the_connections_that_are_allowed() -> None:
    assert opened_by(20, at_once=True) == MOST
