"""The daily ID export over HTTP: whole, or an error; its faults are in test_source_faults."""

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.tmdb import export as tmdb_export
from movie_assets.tmdb.client import TmdbClient
from movie_assets.tmdb.responses import ExportDamagedError, ExportMissingError, TmdbUnavailableError
from movie_assets_tests.conftest import DAY, settings_for
from movie_assets_tests.tmdb.bodies import details
from movie_assets_tests.tmdb.tmdb_calls import FILMS, Bytes, client_of, made_up, shorten_waits


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_waits(monkeypatch)


@pytest.fixture
def films(tmp_path: Path) -> Iterator[TmdbEmulator]:
    path = tmp_path / "films.jsonl"
    path.write_text("\n".join(json.dumps(details(id=tmdb_id)) for tmdb_id in FILMS))
    with TmdbEmulator(EmulatorOptions(details=path, today=DAY, rate_limit=0)) as tmdb_emulator:
        yield tmdb_emulator


def export_of(tmdb_emulator: TmdbEmulator, days_ago: int = 0) -> tuple[list[bytes], str]:
    async def run() -> tuple[list[bytes], str]:
        async with (
            client_of(settings_for(tmdb_emulator)) as client,
            client.export(DAY - timedelta(days=days_ago)) as export,
        ):
            return list(export.lines()), export.source

    return asyncio.run(run())


def test_a_whole_export_comes_line_by_line(films: TmdbEmulator) -> None:
    lines, source = export_of(films)
    assert [json.loads(line)["id"] for line in lines] == list(FILMS)
    assert source == f"stand-in {films.options.world_name}"


def test_an_export_can_be_read_twice(films: TmdbEmulator) -> None:
    async def run() -> bool:
        async with client_of(settings_for(films)) as client, client.export(DAY) as export:
            return list(export.lines()) == list(export.lines())

    assert asyncio.run(run())


def test_a_day_without_an_export_is_missing_after_one_call(films: TmdbEmulator) -> None:
    with pytest.raises(ExportMissingError, match=r"11_20_2026\.json\.gz: HTTP 403"):
        export_of(films, days_ago=-1)
    assert films.requests["export"] == {403: 1}


def exported(respond: Callable[[httpx.Request], httpx.Response]) -> list[bytes]:
    async def use(client: TmdbClient) -> list[bytes]:
        async with client.export(DAY) as export:
            return list(export.lines())

    lines: list[bytes] = made_up(respond, use)
    return lines


@pytest.mark.parametrize("spoil", [lambda b: b[:-4], lambda b: b[: len(b) // 2], lambda b: b[:-6] + b"\0\0" + b[-4:]])
def test_a_download_that_was_damaged_once_is_fetched_again(spoil: Callable[[bytes], bytes]) -> None:
    whole = gzip.compress(b"line\n" * 100)
    bodies = [spoil(whole), whole]
    assert len(exported(lambda _: httpx.Response(200, stream=Bytes(bodies.pop(0))))) == 100


@pytest.mark.parametrize("status", [500, 502, 429])
def test_an_export_that_fails_now_and_then_is_fetched_again(status: int) -> None:
    answers = [httpx.Response(status), httpx.Response(200, stream=Bytes(gzip.compress(b"line\n")))]
    assert exported(lambda _: answers.pop(0)) == [b"line\n"]


def test_an_export_that_cannot_be_fetched_is_told(films: TmdbEmulator) -> None:
    with pytest.raises(TmdbUnavailableError, match="5 attempts"):
        exported(lambda _: httpx.Response(503))
    assert films.requests == {}


def test_the_token_is_not_sent_to_the_file_server() -> None:
    seen: list[httpx.Headers] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, stream=Bytes(gzip.compress(b"line\n")))

    exported(respond)
    assert "authorization" not in seen[0]
    assert seen[0]["accept-encoding"] == "identity"


def test_an_export_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmdb_export, "MAX_PACKED_BYTES", 1000)
    with pytest.raises(ExportDamagedError, match="larger than 1,000 bytes"):
        exported(lambda _: httpx.Response(200, stream=Bytes(b"x" * 5000)))
