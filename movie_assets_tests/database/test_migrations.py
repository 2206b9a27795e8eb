"""Migrating a database: what is applied in which order, and which databases are refused."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from movie_assets.database import server_checks
from movie_assets.database.addresses import DatabaseError, dsn_of, url_of
from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database
from movie_assets.database.migrations import migrate
from movie_assets_tests.conftest import address_of
from movie_assets_tests.database.empty_databases import COMMENTS, FILES, FUNCTIONS, as_administrator, history

MIGRATE = """
import sys
from movie_assets.database.creation import ensure_database
from movie_assets.database.migrations import migrate
from movie_assets.database.database import Database
print("ready", flush=True)
sys.stdin.readline()
ensure_database(sys.argv[1])
print(len(migrate(Database(sys.argv[1]))))
"""


# Applying


def test_an_empty_database_gets_everything_in_order(empty: Database) -> None:
    assert migrate(empty) == [*FILES, *FUNCTIONS, *COMMENTS]
    assert set(history(empty)) == {*FILES, *FUNCTIONS, *COMMENTS}


def test_a_second_time_applies_nothing(empty: Database) -> None:
    migrate(empty)
    before = history(empty)
    assert migrate(empty) == []
    assert history(empty) == before


def test_vectors_can_be_used_at_once(empty: Database) -> None:
    migrate(empty)
    with empty.transaction() as connection:
        assert connection.exec_driver_sql("select '[1,2]'::vector").scalar_one().to_list() == [1, 2]


def test_a_database_that_another_process_creates_between_two_looks_is_used(
    server: str, empty_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, name = psycopg.connect, url_of(empty_address).database

    def connect_after_the_other(dsn: str, **options: Any) -> Any:
        if options.get("autocommit"):  # the look at the server, after the database was missing
            with connect(address_of(server, "postgres"), autocommit=True) as other:
                other.execute(f"create database {name}".encode())
        return connect(dsn, **options)

    monkeypatch.setattr(psycopg, "connect", connect_after_the_other)
    ensure_database(empty_address)
    monkeypatch.undo()
    connect(dsn_of(url_of(empty_address))).close()
    as_administrator(server, f"drop database {name}")


def test_processes_that_migrate_at_once_do_it_once(server: str, empty_address: str) -> None:
    command = [sys.executable, "-c", MIGRATE, empty_address]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=120) for process in started]
    as_administrator(server, f"drop database {url_of(empty_address).database} with (force)")
    assert sorted(output.strip() for output, _ in outputs) == ["0", "0", str(len(FILES + FUNCTIONS + COMMENTS))], (
        outputs
    )


def test_a_new_migration_is_applied_alone(empty: Database, own_sql: Path) -> None:
    migrate(empty)
    (own_sql / "migrations" / "0999_more.sql").write_text("create table pipeline.more ();")
    assert migrate(empty) == ["migrations/0999_more.sql"]


def test_a_migration_that_fails_leaves_nothing_of_itself(empty: Database, own_sql: Path) -> None:
    migrate(empty)
    (own_sql / "migrations" / "0999_more.sql").write_text("create table pipeline.more (); select 1 / 0;")
    with pytest.raises((sa.exc.SQLAlchemyError, psycopg.Error, DatabaseError)):
        migrate(empty)
    assert "migrations/0999_more.sql" not in history(empty)
    with empty.transaction() as connection:
        assert connection.exec_driver_sql("select to_regclass('pipeline.more')").scalar() is None


# Refusing


def test_a_migration_that_was_edited_is_refused(empty: Database, own_sql: Path) -> None:
    migrate(empty)
    with (own_sql / FILES[0]).open("a") as file:
        file.write("\n-- edited\n")
    with pytest.raises(DatabaseError, match=f"{FILES[0]} was applied with another text"):
        migrate(empty)


def test_a_newer_database_is_refused(empty: Database, own_sql: Path) -> None:
    migrate(empty)
    (own_sql / FILES[-1]).unlink()
    with pytest.raises(DatabaseError, match=f"newer movie_assets .{FILES[-1]}.; update this checkout"):
        migrate(empty)


def test_a_refusal_leaves_no_lock_behind(empty: Database, own_sql: Path) -> None:
    migrate(empty)
    (own_sql / FILES[-1]).unlink()
    with pytest.raises(DatabaseError):
        migrate(empty)
    with empty.transaction() as connection:
        locks = (
            "select count(*) from pg_locks l join pg_database d on d.oid = l.database "
            "where l.locktype = 'advisory' and d.datname = current_database()"
        )
        assert connection.exec_driver_sql(locks).scalar() == 0


def test_an_old_server_is_refused(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_checks, "MIN_POSTGRES", 990000)
    with pytest.raises(DatabaseError, match="the server is PostgreSQL 18; movie_assets needs 99 or newer"):
        migrate(empty)


def test_an_old_pgvector_is_refused(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_checks, "MIN_PGVECTOR", (99, 0))
    with pytest.raises(DatabaseError, match=r"movie_assets needs 99\.0 or newer.*alter extension vector update"):
        migrate(empty)
