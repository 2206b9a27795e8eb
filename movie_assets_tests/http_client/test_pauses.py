"""How long every client waits after a refusal, over real HTTP: never less than without a Retry-After header."""

import asyncio
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import openai
import pytest
from pydantic import SecretStr

from movie_assets.config.settings import Settings
from movie_assets.embeddings.embedder import EmbedderError
from movie_assets.embeddings.openai_bulk import BulkApi
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.embeddings.refusals import MAX_PAUSES
from movie_assets.embeddings.server_limits import Server
from movie_assets.http_client import backoff as retry
from movie_assets.ratings import downloads as rating_files
from movie_assets.tmdb import export as tmdb_export
from movie_assets.tmdb.client import PAUSES_IN_A_ROW, Tmdb
from movie_assets.tmdb.responses import Fetched, TmdbUnavailableError
from movie_assets_tests.tmdb.tmdb_calls import NO_DATABASE, client_of

FIRST, LONGEST = 0.04, 0.16  # seconds; a twenty-fifth of production's first wait
WITHOUT_HEADER = [0.04, 0.08, *[0.16] * 8]
BATCH = {
    "id": "b", "object": "batch", "endpoint": "/v1/embeddings", "completion_window": "24h", "created_at": 0,
    "input_file_id": "f", "status": "completed",
}  # fmt: skip
BODIES = {
    "/movie/1": {"id": 1},
    "/v1/embeddings": {"model": "m", "data": [{"index": 0, "embedding": [1.0] * 8}], "usage": {"total_tokens": 1}},
    "/v1/batches/b": BATCH,
}
SAY_NOTHING = [
    {},
    {"Retry-After": "0"},
    {"Retry-After": "0.0"},
    {"Retry-After": "0.001"},
    {"Retry-After": "-1"},
    {"Retry-After": "soon"},
]
SAY_NOTHING_EITHER = [
    {"Retry-After-Ms": "0"},
    {"Retry-After-Ms": "1.5"},
    {"Retry-After-Ms": "-20"},
    {
        "X-RateLimit-Limit-Requests": "5", "X-RateLimit-Remaining-Requests": "0", "X-RateLimit-Reset-Requests": "0s",
    },
]  # fmt: skip


class Busy:
    """A server that refuses the first requests and keeps when each request came."""

    def __init__(self, refusals: int, headers: Mapping[str, str], status: int) -> None:
        self.refusals, self.headers, self.status = refusals, headers, status
        self.moments: list[float] = []
        self.url = ""

    @property
    def pauses(self) -> list[float]:
        return [later - earlier for earlier, later in itertools.pairwise(self.moments)]

    def respond(self, path: str) -> tuple[int, Mapping[str, str], Any]:
        self.moments.append(time.monotonic())
        if len(self.moments) <= self.refusals:
            return self.status, self.headers, {"status_code": 25, "error": {"message": "Rate limit", "code": None}}
        return 200, {}, BODIES[path.partition("?")[0]]


@contextmanager
def busy(refusals: int, headers: Mapping[str, str], status: int = 429) -> Iterator[Busy]:
    server = Busy(refusals, headers, status)

    class Handler(BaseHTTPRequestHandler):
        def response(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, sent_headers, body = server.respond(self.path)
            content = json.dumps(body).encode()
            self.send_response(code)
            for name, value in {
                **sent_headers,
                "Content-Type": "application/json",
                "Content-Length": len(content),
            }.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = response  # noqa: N815  # the library's names

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_port}"
        threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        http.shutdown()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are those of production on another scale, and no draw is lucky."""
    monkeypatch.setattr(retry, "FIRST_WAIT", FIRST)
    monkeypatch.setattr(retry, "LONGEST_WAIT", LONGEST)
    monkeypatch.setattr(random, "random", lambda: 1.0)


async def a_film(url: str) -> None:
    async with client_of(Settings.model_validate({"tmdb_api_token": "t", "tmdb_api_url": url, "tmdb_rate": 0})) as tmdb:
        (response,) = [response async for response in tmdb.details([1])]
    assert isinstance(response, Fetched)


def fetch(url: str) -> None:

    asyncio.run(a_film(url))


def embed(url: str) -> None:
    client = OpenAiEmbedder("m", 8, SecretStr("k"), f"{url}/v1")
    assert len(client.embed(["a"]).vectors) == 1


def poll_a_batch(url: str) -> None:
    def client() -> openai.OpenAI:
        return openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0)

    state = BulkApi(client, Server()).state("b")
    assert state is not None
    assert state.has_ended


CLIENTS = [fetch, embed, poll_a_batch]
CASES = [
    *[(client, headers) for client in CLIENTS for headers in SAY_NOTHING],
    *[(client, headers) for client in CLIENTS[1:] for headers in SAY_NOTHING_EITHER],
]


@pytest.mark.parametrize(("client", "headers"), CASES, ids=lambda each: getattr(each, "__name__", None) or str(each))
def test_a_pause_is_never_shorter_than_without_the_header(
    client: Callable[[str], None], headers: Mapping[str, str]
) -> None:
    """Ten refusals in a row do not end the run, and the pauses after them grow."""
    with busy(10, headers) as server:
        client(server.url)
    assert len(server.moments) == 11
    assert all(took >= least for took, least in zip(server.pauses, WITHOUT_HEADER, strict=True))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_fraction_of_a_second_that_is_longer_is_waited_for(client: Callable[[str], None]) -> None:
    with busy(1, {"Retry-After": "0.3"}) as server:
        client(server.url)
    assert 0.3 <= server.pauses[0] < 0.3 + 1


@pytest.mark.parametrize("client", CLIENTS)
def test_a_date_in_the_past_is_still_a_pause(client: Callable[[str], None]) -> None:
    with busy(3, {"Retry-After": "Thu, 19 Nov 2020 12:00:00 GMT"}) as server:
        client(server.url)
    assert all(took >= least for took, least in zip(server.pauses, WITHOUT_HEADER, strict=False))


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("header", ["86400", "301.5", "9" * 400])
def test_a_pause_that_is_too_long_ends_the_run_at_once(client: Callable[[str], None], header: str) -> None:
    with busy(100, {"Retry-After": header}) as server:
        with pytest.raises((TmdbUnavailableError, EmbedderError), match="asks to wait"):
            client(server.url)
        assert len(server.moments) == 1


@pytest.mark.parametrize("client", CLIENTS)
def test_refusals_that_do_not_end_end_the_run(client: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(retry, "LONGEST_WAIT", 0.001)
    assert MAX_PAUSES == PAUSES_IN_A_ROW == 10
    with busy(100, {"Retry-After": "0"}) as server:
        with pytest.raises((TmdbUnavailableError, EmbedderError)):
            client(server.url)
        assert 10 <= len(server.moments) <= 11


def test_a_server_error_with_retry_after_zero_is_not_hammered() -> None:
    with busy(3, {"Retry-After": "0"}, status=503) as server:
        embed(server.url)
    assert all(took >= least for took, least in zip(server.pauses, WITHOUT_HEADER, strict=False))


def fetch_an_export(url: str) -> None:

    async def run() -> None:
        settings = Settings.model_validate({"tmdb_api_token": "t", "tmdb_export_url": url, "tmdb_rate": 0})
        async with Tmdb(settings, NO_DATABASE).session(None) as client, client.export(date(2026, 11, 19)):
            pass

    asyncio.run(run())


def open_a_rating_file(url: str) -> None:
    with rating_files.opened(f"{url}/ratings.csv", None):
        pass


FILES = [(fetch_an_export, tmdb_export.ATTEMPTS), (open_a_rating_file, rating_files.ATTEMPTS)]


@pytest.mark.parametrize(("download", "attempts"), FILES)
@pytest.mark.parametrize(("header", "least"), [("0", FIRST), ("0.2", 0.2), ("soon", FIRST)])
def test_a_download_waits_as_long_as_it_is_asked_to(
    download: Callable[[str], None], attempts: int, header: str, least: float
) -> None:
    with busy(100, {"Retry-After": header}) as server:
        with pytest.raises((TmdbUnavailableError, rating_files.RatingFileError), match="429"):
            download(server.url)
        assert len(server.moments) == attempts
        assert all(took >= least for took in server.pauses)


@pytest.mark.parametrize(("download", "_attempts"), FILES)
def test_a_download_does_not_sleep_for_a_day(download: Callable[[str], None], _attempts: int) -> None:
    with busy(100, {"Retry-After": "86400"}) as server:
        with pytest.raises((TmdbUnavailableError, rating_files.RatingFileError)):
            download(server.url)
        assert len(server.moments) == 1
