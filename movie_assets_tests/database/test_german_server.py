"""A server whose messages are not in English: errors are classified by their SQLSTATE, never by their words."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from movie_assets.database import retry
from movie_assets.database.addresses import DatabaseError, url_of
from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database
from movie_assets.database.migrations import migrate
from movie_assets.orchestration.storage import PooledPostgresStorage
from movie_assets_tests.conftest import address_of
from movie_assets_tests.database.empty_databases import as_administrator
from movie_assets_tests.database.german_server import WORDS, german_server


@pytest.fixture
def german(server: str) -> Iterator[str]:
    """Address of a database that does not exist yet, on a server that speaks German."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with german_server(server) as address:
        yield address + name
    as_administrator(server, f"drop database if exists {name} with (force)",
                     f"drop database if exists {name}_dagster with (force)")  # fmt: skip


def test_a_missing_database_is_created_and_migrated_and_so_is_dagsters(german: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=WORDS):
        psycopg.connect(german)
    for address in (german, f"{german}_dagster"):
        ensure_database(address)
        ensure_database(address)
    database = Database(german)
    assert migrate(database) != []
    assert migrate(database) == []
    with database.batch_locks([1, 2], "stage") as ours, database.batch_locks([2, 3], "stage") as others:
        assert (ours, others) == ({1, 2}, {3})
    database.close()
    storage = PooledPostgresStorage(f"{german}_dagster".replace("postgresql:", "postgresql+psycopg2:"))
    assert storage.run_storage.get_runs_count() == 0
    storage.run_storage.dispose()


def test_a_refusal_of_the_server_is_classified_by_its_sqlstate(german: str, server: str) -> None:
    ensure_database(german)
    as_administrator(server, "create role lame login", f'alter database "{url_of(german).database}" owner to lame')
    as_administrator(server, f'alter database "{url_of(german).database}" owner to postgres')
    lame = german.replace("postgres@", "lame@")
    with pytest.raises(DatabaseError, match='the role "lame" may not create schemas in database'):
        migrate(Database(lame))
    with pytest.raises(DatabaseError, match=rf"may not create it \({WORDS}\).*administrator run: create database"):
        ensure_database(f"{lame}_of_its_own")
    with psycopg.connect(address_of(server, "postgres"), autocommit=True) as administrator:
        administrator.execute("drop role lame")


ENDED = {
    "40001": "other transactions got in the way again and again",
    "57014": "the server ended a statement that took too long",
    "53100": "the database server's disk is full",
    "25006": "the database takes no writes",
    "53300": "the database server has no connection left",
    "57P01": "the connection to the database was lost or refused",
}


def test_work_that_the_server_ended_is_classified_by_its_sqlstate(german: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "SECONDS_TO_WAIT", 0.2)
    ensure_database(german)
    with Database(german) as database:
        migrate(database)
    for state, happened in ENDED.items():

        def work(connection: sa.Connection, state: str = state) -> None:
            connection.exec_driver_sql(f"do $$ begin raise exception 'no' using errcode = '{state}'; end $$")

        with Database(german) as database, pytest.raises(DatabaseError, match=f"{happened}.*{WORDS}"):
            database.once(work)


def test_a_server_without_a_connection_left_is_waited_for(
    german: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "SECONDS_TO_WAIT", 0.3)
    role = f"crowd_{uuid.uuid4().hex[:8]}"
    ensure_database(german)
    migrate(Database(german))
    as_administrator(server, f"create role {role} login superuser connection limit 0")
    as_administrator(server, f"alter role {role} nosuperuser")
    crowded = Database(german.replace("postgres@", f"{role}@"))
    with pytest.raises(DatabaseError, match=rf"lost or refused .*{WORDS}.*has a connection left \(max_connections\)"):
        crowded.fetch_value(int, "count_movies")
    crowded.close()
    as_administrator(server, f"drop role {role}")
