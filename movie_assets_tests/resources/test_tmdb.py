"""The TMDB client over real HTTP: what it survives, what it gives up on, and what either costs."""

import asyncio
import gzip
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from movie_assets.core.films import UnusableAnswerError, read_film
from movie_assets.core.retry import seconds_asked_for
from movie_assets.resources import tmdb as module
from movie_assets.resources import tmdb_lists
from movie_assets.resources.postgres import Database
from movie_assets.resources.tmdb import ATTEMPTS, CONCURRENCY, FAILURES_IN_A_ROW, Tmdb, TmdbClient
from movie_assets.resources.tmdb_answers import (
    Answer,
    CredentialRefusedError,
    ExportDamagedError,
    ExportMissingError,
    Failed,
    Fetched,
    NotFound,
    RequestRefusedError,
    TmdbError,
    TmdbUnavailableError,
)
from movie_assets.settings import Settings
from movie_assets.standin.options import StandInOptions
from movie_assets.standin.server import StandIn
from movie_assets.standin.world import Change
from movie_assets_tests.conftest import DAY, settings_for
from movie_assets_tests.core.bodies import details

CANARY = "eyJ-canary-of-a-token"
NO_DATABASE = Database("postgresql://nobody@127.0.0.1:1/none")  # never connected to: there is no pace to keep
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading certificates takes 30 ms a client
FILMS = range(100, 160)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as long as production does."""
    monkeypatch.setattr(module, "backoff", lambda attempt, _dice: 0.002 * attempt)
    monkeypatch.setattr(module, "SECONDS_PER_CALL", 3.0)


@pytest.fixture(scope="module")
def sixty_films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Details of sixty films."""
    path = tmp_path_factory.mktemp("films") / "films.jsonl"
    path.write_text("\n".join(json.dumps(details(id=tmdb_id)) for tmdb_id in FILMS))
    return path


@pytest.fixture
def films(sixty_films: Path) -> Iterator[StandIn]:
    """A stand-in with sixty films; one a test, as a call that a test gave up may still arrive after its end."""
    options = StandInOptions(details=sixty_films, today=DAY, rate_limit=0, stall_seconds=2, retry_after=0)
    with StandIn(options) as stand_in:
        yield stand_in


@asynccontextmanager
async def client_of(settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[TmdbClient]:
    network = transport or httpx.AsyncHTTPTransport(verify=NO_TLS)
    async with Tmdb(settings, NO_DATABASE, network).session(None) as client:
        yield client


def fetched(stand_in: StandIn, ids: Any = FILMS, **changes: Any) -> list[Answer]:
    """Answers for ids, as a run would get them."""

    async def run() -> list[Answer]:
        async with client_of(settings_for(stand_in, **changes)) as client:
            return [answer async for answer in client.details(list(ids))]

    return asyncio.run(run())


def answered(respond: Callable[[httpx.Request], Any], ids: Any = (1,)) -> list[Answer]:
    """Answers for ids from a made-up network."""

    async def run() -> list[Answer]:
        settings = Settings.model_validate({"tmdb_api_token": CANARY, "tmdb_rate": 0})
        async with client_of(settings, httpx.MockTransport(respond)) as client:
            return [answer async for answer in client.details(list(ids))]

    return asyncio.run(run())


def calls_to(stand_in: StandIn) -> int:
    return sum(stand_in.requests.get("movie", {}).values())


@contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


# Answers


def test_every_id_is_answered_once_with_its_film(films: StandIn) -> None:
    answers = fetched(films)
    assert sorted(answer.tmdb_id for answer in answers) == list(FILMS)
    assert all(isinstance(answer, Fetched) and answer.body["id"] == answer.tmdb_id for answer in answers)
    assert films.requests["movie"] == {200: len(FILMS)}


def test_one_call_brings_everything_about_a_film(films: StandIn) -> None:
    (answer,) = fetched(films, [100])
    assert isinstance(answer, Fetched)
    assert {"credits", "keywords", "release_dates", "translations", "watch/providers"} <= set(answer.body)


def test_no_ids_cost_no_call(films: StandIn) -> None:
    assert fetched(films, []) == []
    assert films.requests == {}


def test_an_unknown_id_is_not_found_by_one_call(films: StandIn) -> None:
    assert fetched(films, [999]) == [NotFound(999)]
    assert films.requests["movie"] == {404: 1}


@pytest.mark.parametrize("body", ["<html>404 Not Found</html>", "", "null", '{"message": "no Route matched"}'])
def test_a_404_that_is_not_tmdbs_own_is_no_deleted_film(body: str) -> None:
    (answer,) = answered(lambda _: httpx.Response(404, text=body))
    assert not isinstance(answer, NotFound)


def test_a_film_under_another_id_does_not_become_the_one_asked_for(films: StandIn) -> None:
    films.faults = {"wrong_id": 1.0}
    (answer,) = fetched(films, [100])
    assert isinstance(answer, Fetched)
    with pytest.raises(UnusableAnswerError, match="asked for 100"):
        read_film(answer.body, 100)


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


def test_leaving_early_leaves_no_work_behind(films: StandIn) -> None:
    async def run() -> set[asyncio.Task[Any]]:
        async with client_of(settings_for(films)) as client:
            answers = client.details(list(FILMS))
            async for _ in answers:
                break
            await answers.aclose()  # type: ignore[attr-defined]  # it is an async generator
            return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    assert asyncio.run(run()) == set()


# The credential


def test_a_refused_token_costs_one_call_and_names_the_variable(films: StandIn) -> None:
    films.faults = {"401": 1.0}
    with pytest.raises(CredentialRefusedError, match="TMDB_API_TOKEN") as refused:
        fetched(films, tmdb_api_token=CANARY)
    assert films.requests["movie"] == {401: 1}
    assert CANARY not in str(refused.value)


def test_a_token_that_is_refused_later_ends_the_run(films: StandIn) -> None:
    films.faults = {"401": 0.2}
    with pytest.raises(CredentialRefusedError):
        fetched(films)
    assert films.requests["movie"][401] <= CONCURRENCY


def test_without_a_token_no_call_is_made(films: StandIn) -> None:
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
def test_blanks_around_a_token_are_not_sent(films: StandIn, token: str) -> None:
    assert isinstance(fetched(films, [100], tmdb_api_token=token)[0], Fetched)


@pytest.mark.parametrize("token", [f"{CANARY}\nrest", f"{CANARY}\x00", f"{CANARY}…", f"{CANARY} rest"])
def test_a_token_that_no_header_can_hold_is_told_without_showing_it(films: StandIn, token: str) -> None:
    told = ""
    try:
        told = repr(fetched(films, [100], tmdb_api_token=token))
    except (TmdbError, ValueError) as error:
        told = repr(error)
        assert not isinstance(error, UnicodeError)  # noqa: PT017  # its sentence tells no variable
    assert CANARY not in told


# Too many requests


@pytest.mark.parametrize("fault", ["429s", "429date", "429none", "429bad"])
def test_a_429_is_waited_out_and_burns_no_attempt(films: StandIn, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    asked = seconds_asked_for
    monkeypatch.setattr(module, "seconds_asked_for", lambda *a: min(0.01, s) if (s := asked(*a)) is not None else None)
    films.faults = {fault: 0.5}
    answers = fetched(films)
    assert sorted(a.tmdb_id for a in answers if isinstance(a, Fetched)) == list(FILMS)
    assert films.requests["movie"][429] > len(FILMS) // 4


def test_a_429_pauses_all_workers_for_as_long_as_it_asks() -> None:
    starts: list[float] = []

    def respond(_: httpx.Request) -> httpx.Response:
        starts.append(time.monotonic())
        if len(starts) == 5:
            return httpx.Response(429, headers={"Retry-After": "1"}, json={"status_code": 25})
        return httpx.Response(200, json={"id": 1})

    assert len(answered(respond, range(60))) == 60
    later = [start - starts[4] for start in starts]
    under_way = CONCURRENCY
    assert all(after >= 0.99 for after in later[5 + under_way :])


@pytest.mark.parametrize("fault", ["429huge", "429none"])
def test_a_429_that_does_not_end_ends_the_run_soon(films: StandIn, fault: str) -> None:
    films.faults = {fault: 1.0}
    with no_longer_than(10), pytest.raises(TmdbUnavailableError):
        fetched(films)
    assert calls_to(films) <= FAILURES_IN_A_ROW + CONCURRENCY


def test_a_pause_of_a_day_is_told_and_not_slept(films: StandIn) -> None:
    films.faults = {"429huge": 1.0}
    with pytest.raises(TmdbUnavailableError, match="86,400 s"):
        fetched(films)
    assert calls_to(films) == 1


# Failures that pass


@pytest.mark.parametrize(
    "fault", ["500", "502html", "503", "504", "html200", "json_cut", "empty", "null", "array", "fin_body"]
)
def test_failures_now_and_then_leave_every_id_answered_once(films: StandIn, fault: str) -> None:
    films.faults = {fault: 0.3}
    answers = fetched(films)
    assert sorted(answer.tmdb_id for answer in answers) == list(FILMS)
    assert sum(isinstance(answer, Fetched) for answer in answers) > len(FILMS) * 0.85
    assert not any(isinstance(answer, NotFound) for answer in answers)


@pytest.mark.parametrize("fault", ["timeout_head", "timeout_body", "drip"])
def test_calls_that_hang_are_made_again(films: StandIn, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(module, "SECONDS_PER_CALL", 0.15)
    films.faults = {fault: 0.2}
    answers = fetched(films)
    assert sorted(answer.tmdb_id for answer in answers) == list(FILMS)
    assert sum(isinstance(answer, Fetched) for answer in answers) > len(FILMS) * 0.9


def test_an_answer_that_drips_ends_at_its_deadline(films: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_PER_CALL", 0.2)
    films.faults = {"drip": 1.0}
    with no_longer_than(0.2 * ATTEMPTS + 3):
        (answer,) = fetched(films, [100])
    assert isinstance(answer, Failed)
    assert answer.reason == "http_timeout"


@pytest.mark.parametrize(
    ("fault", "calls", "reason"),
    [
        ("503", 5, "http_503"),
        ("html200", 3, "no_json"),
        ("null", 3, "no_json"),
        ("fin_body", 5, "http_RemoteProtocolError"),
    ],
)
def test_a_film_is_left_for_later_after_few_attempts(films: StandIn, fault: str, calls: int, reason: str) -> None:
    films.faults = {fault: 1.0}
    (answer,) = fetched(films, [100])
    assert isinstance(answer, Failed)
    assert (answer.reason, calls_to(films)) == (reason, calls)
    assert len(answer.sample) <= 500


def test_a_body_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_BODY", 10_000)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 1000

    (answer,) = answered(lambda _: httpx.Response(200, content=endless()))
    assert isinstance(answer, Failed)
    assert sent <= 12 * ATTEMPTS


def test_a_redirect_is_not_followed_for_ever() -> None:
    (answer,) = answered(lambda request: httpx.Response(302, headers={"Location": str(request.url)}))
    assert isinstance(answer, Failed)


def test_an_encoding_that_is_a_lie_is_a_failure() -> None:
    (answer,) = answered(lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Bytes(b"{}")))
    assert isinstance(answer, Failed)


class Bytes(httpx.AsyncByteStream):
    """A body as it is on the wire."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.content


@pytest.mark.parametrize("status", [400, 405, 406, 422])
def test_a_request_that_tmdb_calls_wrong_is_not_made_again(status: int) -> None:
    calls: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(status, json={"status_message": "Invalid parameters"})

    with pytest.raises(RequestRefusedError, match="Invalid parameters"):
        answered(respond, range(10))
    assert len(calls) == 1


# Outages


@pytest.mark.parametrize("fault", ["503", "html200", "fin_body"])
def test_an_outage_ends_the_run_with_few_calls(films: StandIn, fault: str) -> None:
    films.faults = {fault: 1.0}
    with no_longer_than(10), pytest.raises(TmdbUnavailableError, match=r"in a row failed"):
        fetched(films)
    assert calls_to(films) <= FAILURES_IN_A_ROW + CONCURRENCY < len(FILMS) * ATTEMPTS / 3


def test_a_server_that_is_down_ends_the_run(films: StandIn) -> None:
    settings = settings_for(films, tmdb_api_url="http://127.0.0.1:1/3")

    async def run() -> None:
        async with client_of(settings) as client:
            async for _ in client.details(list(FILMS)):
                pass

    with no_longer_than(10), pytest.raises(TmdbUnavailableError, match="ConnectError"):
        asyncio.run(run())


def test_what_was_fetched_before_an_outage_is_not_lost(films: StandIn) -> None:
    async def run() -> list[Answer]:
        answers: list[Answer] = []
        async with client_of(settings_for(films)) as client:
            with pytest.raises(TmdbUnavailableError):  # noqa: PT012
                async for answer in client.details([*FILMS, *FILMS]):
                    answers.append(answer)
                    if len(answers) == 30:
                        films.faults = {"503": 1.0}
        return answers

    assert len([answer for answer in asyncio.run(run()) if isinstance(answer, Fetched)]) >= 30


@pytest.mark.parametrize("error", [RuntimeError("odd"), ValueError("odd")])
def test_an_unforeseen_error_in_a_worker_ends_the_run(error: Exception) -> None:
    calls = 0

    def respond(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise error
        return httpx.Response(200, json={"id": 1})

    async def run() -> None:
        settings = Settings.model_validate({"tmdb_api_token": CANARY, "tmdb_rate": 0})
        async with client_of(settings, httpx.MockTransport(respond)) as client, asyncio.timeout(10):
            async for _ in client.details(range(100)):
                pass

    with pytest.raises(type(error), match="odd"):
        asyncio.run(run())


def test_the_loss_of_the_paces_connection_does_not_hang_the_run(films: StandIn, database: Database) -> None:
    kill = sa.text(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid() and query like '%pipeline.pace%'"
    )

    async def run() -> int:
        answers = 0
        async with Tmdb(settings_for(films, tmdb_rate=200), database).session("a-run") as client, asyncio.timeout(10):
            async for _ in client.details(list(FILMS)):
                answers += 1
                if answers == 5:
                    with database.transaction() as connection:
                        connection.execute(kill)
        return answers

    try:
        assert asyncio.run(run()) == len(FILMS)
    except TimeoutError:
        pytest.fail("the run waits for answers that nobody will give")
    except Exception as error:  # noqa: BLE001  # any end but a hang
        assert str(error)  # noqa: PT017


# The change feed


class Moving:
    """A world of which only the change feed is asked."""

    def __init__(self, *ids: int) -> None:
        self.ids = ids

    def changes(self, _day: object) -> list[Change]:
        return [Change(tmdb_id, adult=None if tmdb_id % 2 else False) for tmdb_id in self.ids]


def changed_ids(respond: Callable[[httpx.Request], httpx.Response]) -> list[int]:
    async def run() -> list[int]:
        settings = Settings.model_validate({"tmdb_api_token": CANARY, "tmdb_rate": 0})
        async with client_of(settings, httpx.MockTransport(respond)) as client:
            return await tmdb_lists.changed_ids(client, DAY)

    return asyncio.run(run())


def pages(*contents: list[Any]) -> Callable[[httpx.Request], httpx.Response]:
    def respond(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        results = [{"id": tmdb_id, "adult": False} for tmdb_id in contents[page - 1]]
        return httpx.Response(200, json={"results": results, "page": page, "total_pages": len(contents)})

    return respond


@pytest.mark.parametrize("count", [0, 1, 100, 101, 250])
def test_every_page_of_the_change_feed_is_read(count: int) -> None:
    world: Any = Moving(*range(1, count + 1))
    with StandIn(StandInOptions(today=DAY, rate_limit=0), world=world) as stand_in:

        async def run() -> list[int]:
            async with client_of(settings_for(stand_in)) as client:
                return await tmdb_lists.changed_ids(client, DAY - timedelta(days=1))

        assert asyncio.run(run()) == list(range(1, count + 1))
        assert stand_in.requests["changes"] == {200: max(1, -(-count // 100))}


def test_an_id_on_two_pages_is_named_once() -> None:
    assert changed_ids(pages([1, 2], [2, 3])) == [1, 2, 3]


@pytest.mark.parametrize("odd", [None, "5", {"a": 1}])
def test_an_id_of_the_change_feed_that_is_none_is_left_out(odd: Any) -> None:
    assert changed_ids(pages([1, odd, 2])) == [1, 2]


def test_the_feed_is_asked_for_one_day() -> None:
    seen: list[httpx.URL] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(200, json={"results": [], "page": 1, "total_pages": 1})

    changed_ids(respond)
    assert [(url.params["start_date"], url.params["end_date"]) for url in seen] == [(DAY.isoformat(),) * 2]


@pytest.mark.parametrize(
    "respond",
    [
        lambda _: httpx.Response(503),
        lambda _: httpx.Response(404, json={"status_code": 34}),
        lambda _: httpx.Response(200, text="<html>"),
        lambda _: httpx.Response(200, json={"page": 1}),
        lambda _: httpx.Response(200, json={"results": None, "total_pages": 1}),
        lambda _: httpx.Response(200, json={"results": [], "total_pages": None}),
    ],
    ids=["503", "404", "html", "no results", "null results", "no pages"],
)
def test_a_change_feed_that_cannot_be_read_is_an_error_of_tmdbs(
    respond: Callable[[httpx.Request], httpx.Response],
) -> None:
    with pytest.raises(TmdbError):
        changed_ids(respond)


def test_entries_of_the_change_feed_that_name_no_id_are_passed_over() -> None:
    entries = [None, {"id": None}, {"id": 7, "adult": None}]
    assert changed_ids(lambda _: httpx.Response(200, json={"results": entries, "total_pages": 1})) == [7]


def test_a_change_feed_that_fails_now_and_then_is_read_whole() -> None:
    calls = 0
    page = pages([1], [2], [3])

    def respond(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return httpx.Response(503) if calls % 2 else page(request)

    assert changed_ids(respond) == [1, 2, 3]


# The export


def export_of(stand_in: StandIn, days_ago: int = 0) -> tuple[list[bytes], str]:
    async def run() -> tuple[list[bytes], str]:
        async with client_of(settings_for(stand_in)) as client, client.export(DAY - timedelta(days=days_ago)) as export:
            return list(export.lines()), export.source

    return asyncio.run(run())


def test_a_whole_export_comes_line_by_line(films: StandIn) -> None:
    lines, source = export_of(films)
    assert [json.loads(line)["id"] for line in lines] == list(FILMS)
    assert source == f"stand-in {films.options.world_name}"


def test_an_export_can_be_read_twice(films: StandIn) -> None:
    async def run() -> bool:
        async with client_of(settings_for(films)) as client, client.export(DAY) as export:
            return list(export.lines()) == list(export.lines())

    assert asyncio.run(run())


def test_a_day_without_an_export_is_missing_after_one_call(films: StandIn) -> None:
    with pytest.raises(ExportMissingError, match=r"11_20_2026\.json\.gz: HTTP 403"):
        export_of(films, days_ago=-1)
    assert films.requests["export"] == {403: 1}


@pytest.mark.parametrize("fault", ["export_truncated", "export_html"])
def test_a_damaged_export_is_never_handed_out(films: StandIn, fault: str) -> None:
    films.faults = {fault: 1.0}
    with pytest.raises(ExportDamagedError, match="damaged 3 times"):
        export_of(films)
    assert films.requests["export"] == {200: 3}


def exported(respond: Callable[[httpx.Request], httpx.Response]) -> list[bytes]:
    async def run() -> list[bytes]:
        settings = Settings.model_validate({"tmdb_api_token": CANARY, "tmdb_rate": 0})
        async with client_of(settings, httpx.MockTransport(respond)) as client, client.export(DAY) as export:
            return list(export.lines())

    return asyncio.run(run())


@pytest.mark.parametrize("spoil", [lambda b: b[:-4], lambda b: b[: len(b) // 2], lambda b: b[:-6] + b"\0\0" + b[-4:]])
def test_a_download_that_was_damaged_once_is_fetched_again(spoil: Callable[[bytes], bytes]) -> None:
    whole = gzip.compress(b"line\n" * 100)
    bodies = [spoil(whole), whole]
    assert len(exported(lambda _: httpx.Response(200, stream=Bytes(bodies.pop(0))))) == 100


@pytest.mark.parametrize("status", [500, 502, 429])
def test_an_export_that_fails_now_and_then_is_fetched_again(status: int) -> None:
    answers = [httpx.Response(status), httpx.Response(200, stream=Bytes(gzip.compress(b"line\n")))]
    assert exported(lambda _: answers.pop(0)) == [b"line\n"]


def test_an_export_that_cannot_be_fetched_is_told(films: StandIn) -> None:
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
    monkeypatch.setattr(module, "LARGEST_EXPORT", 1000)
    with pytest.raises(ExportDamagedError, match="larger than 1,000 bytes"):
        exported(lambda _: httpx.Response(200, stream=Bytes(b"x" * 5000)))
