"""The log of calls to TMDB."""

import asyncio

import pytest

from movie_assets.database.database import Database
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.tmdb.client import Tmdb
from movie_assets.tmdb.responses import CredentialRefusedError
from movie_assets_tests.conftest import settings_for
from movie_assets_tests.tmdb.tmdb_calls import FILMS, shorten_waits


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_waits(monkeypatch)


def logged(database: Database) -> list[tuple[str, str, str, int]]:
    with database.transaction() as connection:
        sql = "select run_id, endpoint, status, calls from pipeline.api_calls order by id"
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


async def fetch(films: TmdbEmulator, database: Database, ids: list[int]) -> None:
    async with Tmdb(settings_for(films), database).session("a-run") as client:
        async for _ in client.details(ids):
            pass


def test_a_session_logs_its_calls_by_endpoint_and_status(films: TmdbEmulator, database: Database) -> None:
    asyncio.run(fetch(films, database, [100, 101, 999]))
    assert logged(database) == [("a-run", "movie", "200", 2), ("a-run", "movie", "404", 1)]


def test_a_session_that_ends_with_an_error_logs_its_calls(films: TmdbEmulator, database: Database) -> None:
    films.faults = {"401": 1.0}
    with pytest.raises(CredentialRefusedError):
        asyncio.run(fetch(films, database, [100]))
    assert logged(database) == [("a-run", "movie", "401", 1)]


def test_a_session_that_is_cancelled_logs_its_calls(films: TmdbEmulator, database: Database) -> None:
    async def run() -> None:
        async with Tmdb(settings_for(films), database).session("a-run") as client:
            outcomes = client.details(list(FILMS))
            await anext(outcomes)
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
    assert logged(database)[0] == ("a-run", "movie", "200", 1)


def test_a_log_that_cannot_be_written_does_not_hide_why_the_session_ended(
    films: TmdbEmulator, database: Database
) -> None:
    films.faults = {"401": 1.0}
    with database.transaction() as connection:
        connection.exec_driver_sql("drop table pipeline.api_calls cascade")
    with pytest.raises(CredentialRefusedError, match="TMDB_API_TOKEN") as refused:
        asyncio.run(fetch(films, database, [100]))
    assert "could not be logged" in refused.value.__notes__[0]


def test_calls_since_midnight_can_be_counted(films: TmdbEmulator, database: Database) -> None:
    asyncio.run(fetch(films, database, [100, 101]))
    with database.transaction() as connection:
        sql = (
            "select sum(calls) from pipeline.api_calls where endpoint = 'movie' and started_at > now() - interval '1 h'"
        )
        assert connection.exec_driver_sql(sql).scalar() == 2
