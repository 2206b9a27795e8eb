"""Faults of TMDB and the network, row by row, through the client; `test_export_faults` has those through the assets.

A row's number is that of the fault matrix; the emulator makes the faults.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.http_client.backoff import seconds_asked_for
from movie_assets.tmdb import call as tmdb_call
from movie_assets.tmdb import client as tmdb
from movie_assets.tmdb.client import FAILURES_IN_A_ROW
from movie_assets.tmdb.concurrent_calls import CONCURRENCY
from movie_assets.tmdb.responses import (
    CallCounts,
    CredentialRefusedError,
    Failed,
    Fetched,
    NotFound,
    TmdbResponse,
    TmdbUnavailableError,
)
from movie_assets_tests.conftest import DAY, settings_for
from movie_assets_tests.refresh.export_faults import EXPORT_ROWS, NOWHERE, Patch, without_name_service
from movie_assets_tests.tmdb.bodies import details
from movie_assets_tests.tmdb.tmdb_calls import (
    CANARY,
    FILMS,
    answered,
    calls_to,
    client_of,
    fetched,
    no_longer_than,
    shorten_waits,
)

MAX_CALLS_OF_AN_OUTAGE = FAILURES_IN_A_ROW + CONCURRENCY


@pytest.fixture(autouse=True)
def quick(monkeypatch: Patch) -> None:
    shorten_waits(monkeypatch)


@pytest.fixture(scope="module")
def sixty_films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "films.jsonl"
    path.write_text("\n".join(json.dumps(details(id=tmdb_id)) for tmdb_id in FILMS))
    return path


@pytest.fixture
def films(sixty_films: Path) -> Iterator[TmdbEmulator]:
    options = EmulatorOptions(details=sixty_films, today=DAY, rate_limit=0, stall_seconds=3, retry_after=0)
    with TmdbEmulator(options) as tmdb_emulator:
        yield tmdb_emulator


@dataclass(frozen=True)
class Row:
    """A fault, what has to come of it, and after how many calls for one film the client gives that film up."""

    number: str
    fault: str
    holds: Callable[[TmdbEmulator, "Row", Patch], None]
    calls: int = 0
    reason: str = ""


# Through the client


def is_waited_out(films: TmdbEmulator, row: Row, monkeypatch: Patch) -> None:
    asked = seconds_asked_for
    monkeypatch.setattr(tmdb, "seconds_asked_for", lambda *a: min(0.01, s) if (s := asked(*a)) is not None else None)
    films.faults = {row.fault: 0.5}
    outcomes = fetched(films)
    assert sorted(a.tmdb_id for a in outcomes if isinstance(a, Fetched)) == list(FILMS)
    assert films.requests["movie"][429] > len(FILMS) // 4


def pauses_all_workers(_films: TmdbEmulator, _row: Row, _monkeypatch: Patch) -> None:
    starts: list[float] = []

    def respond(_: httpx.Request) -> httpx.Response:
        starts.append(time.monotonic())
        if len(starts) == 5:
            return httpx.Response(429, headers={"Retry-After": "1"}, json={"status_code": 25})
        return httpx.Response(200, json={"id": 1})

    assert len(answered(respond, range(60))) == 60
    under_way = CONCURRENCY
    assert all(start - starts[4] >= 0.99 for start in starts[5 + under_way :])


def ends_the_run_at_once(films: TmdbEmulator, row: Row, _: Patch) -> None:
    films.faults = {row.fault: 1.0}
    with pytest.raises(TmdbUnavailableError, match="86,400 s"):
        fetched(films)
    assert calls_to(films) == 1


def ends_the_run_when_it_does_not_end(films: TmdbEmulator, row: Row, _: Patch) -> None:
    films.faults = {row.fault: 1.0}
    with no_longer_than(30), pytest.raises(TmdbUnavailableError, match="nothing but 429"):
        fetched(films)
    assert calls_to(films) <= MAX_CALLS_OF_AN_OUTAGE


def passes(films: TmdbEmulator, row: Row, _: Patch) -> None:
    films.faults = {row.fault: 0.3}
    outcomes = fetched(films)
    assert sorted(response.tmdb_id for response in outcomes) == list(FILMS)
    assert sum(isinstance(response, Fetched) for response in outcomes) > len(FILMS) * 0.8
    assert not any(isinstance(response, NotFound) for response in outcomes)
    costs_one_film_few_calls(films, row, _)


def hangs_no_longer_than_the_deadline(films: TmdbEmulator, row: Row, monkeypatch: Patch) -> None:
    monkeypatch.setattr(tmdb_call, "SECONDS_PER_CALL", 0.5)
    films.faults = {row.fault: 0.1}
    outcomes = fetched(films)
    assert sorted(response.tmdb_id for response in outcomes) == list(FILMS)
    assert sum(isinstance(response, Fetched) for response in outcomes) > len(FILMS) * 0.8
    with no_longer_than(0.5 * row.calls + 10):
        costs_one_film_few_calls(films, row, monkeypatch)


def costs_one_film_few_calls(films: TmdbEmulator, row: Row, _: Patch) -> None:
    films.reset_counts()
    films.faults = {row.fault: 1.0}
    (response,) = fetched(films, [100])
    assert isinstance(response, Failed)
    assert (response.reason, calls_to(films)) == (row.reason, row.calls)
    assert len(response.sample) <= 500


def is_told_with_its_content_type(films: TmdbEmulator, row: Row, monkeypatch: Patch) -> None:
    passes(films, row, monkeypatch)
    (response,) = fetched(films, [100])
    assert isinstance(response, Failed)
    assert "text/html" in response.sample


def is_not_read_to_its_end(films: TmdbEmulator, row: Row, monkeypatch: Patch) -> None:
    costs_one_film_few_calls(films, row, monkeypatch)

    async def run() -> CallCounts:
        async with client_of(settings_for(films)) as client:
            _: list[TmdbResponse] = [response async for response in client.details([100])]
            return client.calls

    unpacked = asyncio.run(run()).kinds["movie", "too_large"].bytes
    assert unpacked <= row.calls * (tmdb_call.MAX_BODY_BYTES + tmdb_call.PIECE)


def stops_the_run_with_few_calls(films: TmdbEmulator, row: Row, _: Patch) -> None:
    films.faults = {row.fault: 1.0}
    with no_longer_than(30), pytest.raises(TmdbUnavailableError, match="in a row failed"):
        fetched(films)
    assert calls_to(films) <= MAX_CALLS_OF_AN_OUTAGE < len(FILMS) * 5 / 3


def refuses_connections(films: TmdbEmulator, _row: Row, _monkeypatch: Patch) -> None:
    with no_longer_than(30), pytest.raises(TmdbUnavailableError, match="ConnectError"):
        fetched(films, tmdb_api_url="http://127.0.0.1:1/3")


def is_looked_up_a_few_times_and_named(films: TmdbEmulator, _row: Row, monkeypatch: Patch) -> None:
    looked_up = without_name_service(monkeypatch)
    pattern = r"\(http://nowhere\.invalid/3/movie/\d+\) with ConnectError \(.*Name or service not known"
    with no_longer_than(30), pytest.raises(TmdbUnavailableError, match=pattern) as down:
        fetched(films, tmdb_api_url=f"{NOWHERE}/3", tmdb_api_token=CANARY)
    assert CANARY not in str(down.value)
    assert 0 < len(looked_up) <= MAX_CALLS_OF_AN_OUTAGE < len(FILMS) * 5 / 3
    assert "movie" not in films.requests


def costs_one_call_and_names_the_variable(films: TmdbEmulator, row: Row, _: Patch) -> None:
    films.faults = {row.fault: 1.0}
    with pytest.raises(CredentialRefusedError, match="TMDB_API_TOKEN") as refused:
        fetched(films, tmdb_api_token=CANARY)
    assert films.requests["movie"] == {401: 1}
    assert CANARY not in str(refused.value)


def is_gone_after_one_call(films: TmdbEmulator, row: Row, _: Patch) -> None:
    films.faults = {row.fault: 1.0}
    assert fetched(films, [100]) == [NotFound(100)]
    assert calls_to(films) == 1


ROWS = (
    Row("F1", "429s", is_waited_out),
    Row("F1", "429s for all workers", pauses_all_workers),
    Row("F2", "429date", is_waited_out),
    Row("F3", "429none", is_waited_out),
    Row("F3", "429none", ends_the_run_when_it_does_not_end),
    Row("F3", "429zero", is_waited_out),
    Row("F3", "429zero", ends_the_run_when_it_does_not_end),
    Row("F4", "429huge", ends_the_run_at_once),
    Row("F5", "429bad", is_waited_out),
    Row("F6", "500", passes, 5, "http_500"),
    Row("F6", "502html", passes, 5, "http_502"),
    Row("F6", "503", passes, 5, "http_503"),
    Row("F6", "504", passes, 5, "http_504"),
    Row("F6", "522html", passes, 5, "http_522"),
    Row("F7", "503", stops_the_run_with_few_calls),
    Row("F7", "html200", stops_the_run_with_few_calls),
    Row("F7", "reset_head", stops_the_run_with_few_calls),
    Row("F7", "garbage", stops_the_run_with_few_calls),
    Row("F8", "connection refused", refuses_connections),
    Row("F8", "no such host", is_looked_up_a_few_times_and_named),
    Row("F9", "timeout_head", hangs_no_longer_than_the_deadline, 5, "http_timeout"),
    Row("F10", "timeout_body", hangs_no_longer_than_the_deadline, 5, "http_timeout"),
    Row("F11", "drip", hangs_no_longer_than_the_deadline, 5, "http_timeout"),
    Row("F12", "reset_head", passes, 5, "http_ReadError"),
    Row("F12", "reset_body", passes, 5, "http_ReadError"),
    Row("F13", "fin_head", passes, 5, "http_RemoteProtocolError"),
    Row("F13", "fin_body", passes, 5, "http_RemoteProtocolError"),
    Row("F13", "fin_chunk", passes, 5, "http_RemoteProtocolError"),
    Row("F14", "gz_trunc", passes, 5, "http_DecodingError"),
    Row("F15", "gz_corrupt", passes, 5, "http_DecodingError"),
    Row("F15", "gz_lie", passes, 5, "http_DecodingError"),
    Row("F16", "cl_long", passes, 5, "http_RemoteProtocolError"),
    Row("F16", "cl_short", passes, 3, "no_json"),
    Row("F17", "html200", is_told_with_its_content_type, 3, "no_json"),
    Row("F18", "json_cut", passes, 3, "no_json"),
    Row("F18", "empty", passes, 3, "no_json"),
    Row("F18", "null", passes, 3, "wrong_shape"),
    Row("F18", "array", passes, 3, "wrong_shape"),
    Row("F19", "redirect_loop", costs_one_film_few_calls, 2, "http_302"),
    Row("F19", "huge_header", costs_one_film_few_calls, 2, "http_not_http"),
    Row("F19", "garbage", costs_one_film_few_calls, 2, "http_not_http"),
    Row("F20", "bomb", is_not_read_to_its_end, 2, "http_too_large"),
    Row("F21", "401", costs_one_call_and_names_the_variable),
    Row("F22", "404", is_gone_after_one_call),
)


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row.number}-{row.fault}-{row.holds.__name__}") for row in ROWS]
)
def test_a_fault_of_the_source(films: TmdbEmulator, row: Row, monkeypatch: Patch) -> None:
    row.holds(films, row, monkeypatch)


def test_every_fault_of_the_source_has_a_row() -> None:
    numbers = {row.number for row in (*ROWS, *EXPORT_ROWS)}
    assert numbers == {f"F{number}" for number in range(1, 27)}
