"""What tests of the TMDB client share: a client against an emulator or a made-up network, and its calls counted."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.http_client import retries
from movie_assets.tmdb import call as tmdb_call
from movie_assets.tmdb import client as tmdb
from movie_assets.tmdb.client import Tmdb, TmdbClient
from movie_assets.tmdb.responses import TmdbResponse
from movie_assets_tests.conftest import settings_for

CANARY = "eyJ-canary-of-a-token"
FILMS = range(100, 160)
NO_DATABASE = Database("postgresql://nobody@127.0.0.1:1/none")  # never connected to: there is no pace to keep
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading certificates takes 30 ms a client

Respond = Callable[[httpx.Request], Any]


class Bytes(httpx.AsyncByteStream):
    """A body as it is on the wire."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.content


def wire(respond: Respond) -> httpx.MockTransport:
    """A made-up network: what `respond` answers with, its body unread as one that arrives."""

    async def respond_to(request: httpx.Request) -> httpx.Response:
        response = respond(request)
        if asyncio.iscoroutine(response):
            response = await response
        if not response.is_stream_consumed:
            return response  # type: ignore[no-any-return]
        return httpx.Response(response.status_code, headers=response.headers, stream=Bytes(response.content))

    return httpx.MockTransport(respond_to)


def shorten_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as long as production does."""
    for part in (tmdb, retries):
        monkeypatch.setattr(part, "backoff", lambda attempt, _dice, asked=None: max(0.002 * attempt, asked or 0))
    monkeypatch.setattr(tmdb_call, "SECONDS_PER_CALL", 3.0)


@asynccontextmanager
async def client_of(settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[TmdbClient]:
    """A client without a pace, whose calls are not logged."""
    network = transport or httpx.AsyncHTTPTransport(verify=NO_TLS)
    async with Tmdb(settings, NO_DATABASE, network).session(None) as client:
        yield client


def made_up(respond: Respond, use: Callable[[TmdbClient], Any]) -> Any:
    """What a coroutine makes of a client of a made-up network."""

    async def run() -> Any:
        settings = Settings.model_validate({"tmdb_api_token": CANARY, "tmdb_rate": 0})
        async with client_of(settings, wire(respond)) as client:
            return await use(client)

    return asyncio.run(run())


def fetched(tmdb_emulator: TmdbEmulator, ids: Iterable[int] = FILMS, **changes: Any) -> list[TmdbResponse]:
    """Answers for ids, as a run would get them."""

    async def run() -> list[TmdbResponse]:
        async with client_of(settings_for(tmdb_emulator, **changes)) as client:
            return [outcome async for outcome in client.details(list(ids))]

    return asyncio.run(run())


def answered(respond: Respond, ids: Iterable[int] = (1,)) -> list[TmdbResponse]:
    """Answers for ids from a made-up network."""

    async def use(client: TmdbClient) -> list[TmdbResponse]:
        return [outcome async for outcome in client.details(list(ids))]

    outcomes: list[TmdbResponse] = made_up(respond, use)
    return outcomes


def calls_to(tmdb_emulator: TmdbEmulator) -> int:
    """Requests for details that were answered, or spoilt."""
    return sum(tmdb_emulator.requests.get("movie", {}).values())


@contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    """Fail when the block takes longer."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds
