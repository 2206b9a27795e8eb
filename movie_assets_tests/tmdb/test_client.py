"""The TMDB client over real HTTP: what it asks, what it hands out, what it logs. Faults are in test_source_faults."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from movie_assets.database.database import Database
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.tmdb import call as tmdb_call
from movie_assets.tmdb.client import ATTEMPTS, Tmdb
from movie_assets.tmdb.concurrent_calls import CONCURRENCY
from movie_assets.tmdb.json_values import UnusableResponseError
from movie_assets.tmdb.movies import read_movie
from movie_assets.tmdb.responses import (
    CredentialRefusedError,
    Failed,
    Fetched,
    NotFound,
    RequestRefusedError,
    TmdbError,
    TmdbResponse,
    TmdbUnavailableError,
)
from movie_assets_tests.conftest import settings_for
from movie_assets_tests.tmdb.bodies import details
from movie_assets_tests.tmdb.tmdb_calls import CANARY, FILMS, Bytes, answered, client_of, fetched, shorten_waits


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_waits(monkeypatch)


# Answers


def test_every_id_is_answered_once_with_its_film(films: TmdbEmulator) -> None:
    outcomes = fetched(films)
    assert sorted(response.tmdb_id for response in outcomes) == list(FILMS)
    assert all(isinstance(response, Fetched) and response.body["id"] == response.tmdb_id for response in outcomes)
    assert films.requests["movie"] == {200: len(FILMS)}


def test_one_call_brings_everything_about_a_film(films: TmdbEmulator) -> None:
    (response,) = fetched(films, [100])
    assert isinstance(response, Fetched)
    assert {"credits", "keywords", "release_dates", "translations", "watch/providers"} <= set(response.body)


def test_no_ids_cost_no_call(films: TmdbEmulator) -> None:
    assert fetched(films, []) == []
    assert films.requests == {}


def test_an_unknown_id_is_not_found_by_one_call(films: TmdbEmulator) -> None:
    assert fetched(films, [999]) == [NotFound(999)]
    assert films.requests["movie"] == {404: 1}


@pytest.mark.parametrize("body", ["<html>404 Not Found</html>", "", "null", '{"message": "no Route matched"}'])
def test_a_404_that_is_not_tmdbs_own_is_no_deleted_film(body: str) -> None:
    (response,) = answered(lambda _: httpx.Response(404, text=body))
    assert not isinstance(response, NotFound)


def test_a_film_under_another_id_does_not_become_the_one_asked_for(films: TmdbEmulator) -> None:
    films.faults = {"wrong_id": 1.0}
    (response,) = fetched(films, [100])
    assert isinstance(response, Fetched)
    with pytest.raises(UnusableResponseError, match="asked for 100"):
        read_movie(response.body, 100)


def test_no_more_calls_are_open_than_tmdb_allows() -> None:
    open_now = 0
    most = 0

    async def respond(_: httpx.Request) -> httpx.Response:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.01)
        open_now -= 1
        return httpx.Response(200, json={"id": 1})

    assert len(answered(respond, range(200))) == 200
    assert most == CONCURRENCY == 20


def test_leaving_early_leaves_no_work_behind(films: TmdbEmulator) -> None:
    async def run() -> set[asyncio.Task[Any]]:
        async with client_of(settings_for(films)) as client:
            outcomes = client.details(list(FILMS))
            async for _ in outcomes:
                break
            await outcomes.aclose()  # type: ignore[attr-defined]  # it is an async generator
            return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    assert asyncio.run(run()) == set()


# The credential


def test_a_token_that_is_refused_later_ends_the_run(films: TmdbEmulator) -> None:
    films.faults = {"401": 0.2}
    with pytest.raises(CredentialRefusedError):
        fetched(films)
    assert films.requests["movie"][401] <= CONCURRENCY


def test_without_a_token_no_call_is_made(films: TmdbEmulator) -> None:
    with pytest.raises(CredentialRefusedError, match="TMDB_API_TOKEN is not set"):
        fetched(films, tmdb_api_token=None)
    assert films.requests == {}


def test_the_token_travels_in_a_header_only() -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"id": 1})

    answered(respond)
    assert seen[0].headers["authorization"] == f"Bearer {CANARY}"
    assert CANARY not in str(seen[0].url)


@pytest.mark.parametrize("token", [f"{CANARY}\n", f"  {CANARY} "])
def test_blanks_around_a_token_are_not_sent(films: TmdbEmulator, token: str) -> None:
    assert isinstance(fetched(films, [100], tmdb_api_token=token)[0], Fetched)


@pytest.mark.parametrize("token", [f"{CANARY}\nrest", f"{CANARY}\x00", f"{CANARY}…", f"{CANARY} rest"])
def test_a_token_that_no_header_can_hold_is_told_without_showing_it(films: TmdbEmulator, token: str) -> None:
    shown = ""
    try:
        shown = repr(fetched(films, [100], tmdb_api_token=token))
    except (TmdbError, ValueError) as error:
        shown = repr(error)
        assert not isinstance(error, UnicodeError)  # noqa: PT017  # its sentence tells no variable
    assert CANARY not in shown


# Failures


def test_a_body_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmdb_call, "MAX_BODY_BYTES", 10_000)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 1000

    (response,) = answered(lambda _: httpx.Response(200, content=endless()))
    assert isinstance(response, Failed)
    assert sent <= 12 * ATTEMPTS


@pytest.mark.parametrize("status", [400, 405, 406, 422])
def test_a_request_that_tmdb_calls_wrong_is_not_made_again(status: int) -> None:
    calls: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(status, json={"status_message": "Invalid parameters"})

    with pytest.raises(RequestRefusedError, match="Invalid parameters"):
        answered(respond, range(10))
    assert len(calls) == 1


def test_films_fetched_before_an_outage_are_not_lost(films: TmdbEmulator) -> None:
    async def run() -> list[TmdbResponse]:
        outcomes: list[TmdbResponse] = []
        async with client_of(settings_for(films)) as client:
            with pytest.raises(TmdbUnavailableError):  # noqa: PT012
                async for response in client.details([*FILMS, *FILMS]):
                    outcomes.append(response)
                    if len(outcomes) == 30:
                        films.faults = {"503": 1.0}
        return outcomes

    assert len([response for response in asyncio.run(run()) if isinstance(response, Fetched)]) >= 30


@pytest.mark.parametrize("error", [RuntimeError("odd"), ValueError("odd")])
def test_an_unforeseen_error_in_a_worker_ends_the_run(error: Exception) -> None:
    calls = 0

    def respond(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise error
        return httpx.Response(200, json={"id": 1})

    with pytest.raises(type(error), match="odd"):
        answered(respond, range(100))


def test_the_loss_of_the_paces_connection_costs_no_film(films: TmdbEmulator, database: Database) -> None:
    async def run() -> int:
        outcomes = 0
        async with Tmdb(settings_for(films, tmdb_rate=200), database).session("a-run") as client, asyncio.timeout(30):
            async for _ in client.details(list(FILMS)):
                outcomes += 1
                if outcomes in (5, 25):
                    end_pacers(database)
        return outcomes

    assert asyncio.run(run()) == len(FILMS)


def end_pacers(database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid() and query like '%%pipeline.pace%%'"
        )


@pytest.mark.parametrize(
    ("body", "reason", "shown"),
    [
        ('{"id": 1, "title": "A", "id": 2}', "no_json", "the body is not JSON"),
        ('{"id": 1, "credits": {"cast": [], "cast": []}}', "no_json", "the body is not JSON"),
        ("<html>", "no_json", "the body is not JSON: b'<html>'"),
        ("", "no_json", "the body is not JSON: b''"),
        ('{"success": false, "status_code": 11}', "error_with_200", "200 with an error: {'success': False"),
        ("[]", "wrong_shape", "200 with an array instead of an object: []"),
        ("[1, 2]", "wrong_shape", "200 with an array instead of an object: [1, 2]"),
        ("null", "wrong_shape", "200 with null instead of an object: null"),
        ('"x"', "wrong_shape", '200 with a text instead of an object: "x"'),
        ('"the body is not JSON"', "wrong_shape", "200 with a text"),
        ("7.5", "wrong_shape", "200 with a number instead of an object: 7.5"),
        ("NaN", "wrong_shape", "200 with null"),
        ("true", "wrong_shape", "200 with true or false instead of an object: true"),
    ],
)
def test_a_body_that_is_no_film_is_asked_for_again_and_then_left(body: str, reason: str, shown: str) -> None:
    calls = Counter[str]()

    def respond(request: httpx.Request) -> httpx.Response:
        calls[request.url.path] += 1
        return httpx.Response(200, text=body)

    (response,) = answered(respond)
    assert isinstance(response, Failed)
    assert (response.reason, calls.total()) == (reason, 3)
    assert shown in response.sample


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_byte_order_mark_before_the_json_is_passed_over(encoding: str) -> None:
    content = json.dumps(details(id=1, title="Amélie \u0000 ✓"), ensure_ascii=False).encode(encoding)
    (response,) = answered(lambda _: httpx.Response(200, stream=Bytes(content)))
    assert isinstance(response, Fetched)
    assert read_movie(response.body, 1).title == "Amélie  ✓"


def test_no_body_is_accepted_that_is_packed_in_another_way_than_asked_for() -> None:
    (response,) = answered(lambda _: httpx.Response(200, headers={"Content-Encoding": "br"}, stream=Bytes(b"{}")))
    assert isinstance(response, Failed)
    assert "'br'" in response.sample
