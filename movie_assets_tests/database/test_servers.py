"""Other people's servers: what is set up on a connection, what works, and the sentence for what cannot work."""

import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import sqlalchemy as sa

from movie_assets.database.addresses import DatabaseError, dsn_of, url_of
from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database
from movie_assets.database.migrations import migrate
from movie_assets.database.server_checks import pgvector_warning
from movie_assets_tests.conftest import address_of
from movie_assets_tests.database.empty_databases import as_administrator
from movie_assets_tests.support.ports import free_port

SECRET = "canary-of-a-password"
SEARCHES = (
    "select * from catalog.match_movies(array_fill(0.1, array[{dimensions}])::{place}.vector, 0.0, 3)",
    "select * from catalog.search_movies('a detective', 3)",
    "select * from catalog.find_movie('Alien', 1979)",
    "select * from catalog.similar_movies(1)",
    "select * from catalog.recommend_movies('{{1}}')",
    "select * from catalog.complete_title('ali')",
    "select * from catalog.similarity_thresholds",
)


@pytest.fixture
def name() -> str:
    return f"test_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def made(server: str, name: str) -> Iterator[str]:
    """Address of an empty database that a role without further rights owns."""
    role = f"app_{name}"
    as_administrator(server, f"create role {role} login", f"create database {name} owner {role}")
    yield address_of(server, name).replace("postgres@", f"{role}@")
    as_administrator(server, f"drop database if exists {name} with (force)", f"drop role {role}")


def migrated(address: str) -> Database:
    ensure_database(address)
    database = Database(address)
    migrate(database)
    return database


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_of_another_encoding_is_refused_before_anything_is_made(
    server: str, name: str, encoding: str
) -> None:
    as_administrator(
        server, f"create database {name} encoding '{encoding}' lc_collate 'C' lc_ctype 'C' template template0"
    )
    address = address_of(server, name)
    for attempt in (lambda: ensure_database(address), lambda: migrate(Database(address))):
        with pytest.raises(DatabaseError, match=f"encoding of database .* is {encoding}; movie_assets needs UTF8"):
            attempt()
    with psycopg.connect(address) as connection:
        rows = connection.execute(
            "select count(*) from pg_namespace where nspname in ('catalog', 'pipeline')"
        ).fetchone()
    assert rows == (0,)
    as_administrator(server, f"drop database {name}")


def test_pgvector_may_be_in_another_schema_and_callers_may_have_any_search_path(
    server: str, made: str, name: str
) -> None:
    as_administrator(
        server, "create schema extensions", "grant usage on schema extensions to public",
        "create extension vector with schema extensions", database=name,
    )  # fmt: skip
    database = migrated(made)
    with database.transaction() as connection:
        connection.exec_driver_sql("insert into pipeline.embedding_sets (provider, model, dimensions, template) "
                                   "values ('p', 'm', 8, 't')")  # fmt: skip
        row = connection.exec_driver_sql("select '[1,2]'::halfvec, '[3,4]'::vector").one()
        assert [type(value).__name__ for value in row] == ["HalfVector", "Vector"]
    migrate(database)
    database.close()
    with psycopg.connect(made, autocommit=True) as application:
        for path in ("''", "'\"$user\", public'", "'pg_catalog'"):
            application.execute(f"set search_path = {path}".encode())
            for search in SEARCHES:
                application.execute(search.format(dimensions=8, place="extensions").encode())


def test_a_role_that_may_not_use_pgvectors_schema_is_told_what_to_run(server: str, made: str, name: str) -> None:
    as_administrator(
        server, "create schema extensions", "create extension vector with schema extensions", database=name
    )
    with pytest.raises(DatabaseError, match="grant usage on schema extensions to"):
        migrate(Database(made))


def test_a_role_without_rights_on_public_keeps_its_record_of_migrations_elsewhere(
    server: str, made: str, name: str
) -> None:
    as_administrator(server, "revoke all on schema public from public", "alter schema public owner to postgres",
                     "create extension vector", "grant usage on schema public to public", database=name)  # fmt: skip
    database = migrated(made)
    with database.transaction() as connection:
        assert connection.exec_driver_sql("select count(*) from movie_assets.movie_assets_schema").scalar()
    assert migrate(database) == []
    database.close()


def test_settings_of_a_role_and_of_an_address(server: str, made: str, name: str) -> None:
    role = url_of(made).username
    as_administrator(server, f"alter role {role} set statement_timeout = '500ms'",
                     f"alter role {role} set client_encoding = 'LATIN1'",
                     f"alter role {role} set search_path = ''")  # fmt: skip
    as_administrator(server, "create extension if not exists vector", database=name)
    database = migrated(made)
    with database.transaction() as connection:
        shown = [connection.exec_driver_sql(f"show {setting}").scalar() for setting in
                 ("statement_timeout", "client_encoding")]  # fmt: skip
    assert shown == ["15min", "UTF8"]
    database.close()
    own = Database(f"{made}&options={quote('-c statement_timeout=7s -cwork_mem=9MB')}")
    with own.transaction() as connection:
        shown = [connection.exec_driver_sql(f"show {setting}").scalar() for setting in
                 ("statement_timeout", "work_mem", "lock_timeout")]  # fmt: skip
    assert shown == ["7s", "9MB", "1min"]
    own.close()


def test_a_role_whose_sessions_take_no_writes_is_told(server: str, made: str) -> None:
    role = url_of(made).username
    as_administrator(server, f"alter role {role} set default_transaction_read_only = on")
    with pytest.raises(
        DatabaseError, match=f'sessions of the role "{role}" .* take no writes .*administrator switch it off'
    ):
        migrate(Database(made))


def test_too_few_connections_are_told_before_anything_is_made(server: str, made: str, name: str) -> None:
    role = url_of(made).username
    as_administrator(server, f"alter role {role} connection limit 5")
    with pytest.raises(DatabaseError, match=f'only 5 connections .* alter role "{role}" connection limit 24'):
        migrate(Database(made))
    as_administrator(server, f"alter role {role} connection limit -1", f"alter database {name} connection limit 5")
    with pytest.raises(DatabaseError, match=f'only 5 connections .* alter database "{name}" connection limit 24'):
        migrate(Database(made))


@pytest.mark.parametrize(
    "address",
    [f"postgresql://app:begin@{SECRET}@127.0.0.1:5432/films", f"postgresql://app:a@b@{SECRET}@h/films",
     f"postgres://app:a:{SECRET}@b@h:1,i:2/films"],
)  # fmt: skip
def test_a_password_with_an_at_sign_is_told_without_showing_any_of_it(address: str) -> None:
    with pytest.raises(DatabaseError, match="must be percent-encoded: write @ as %40") as refused:
        ensure_database(address)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("postgresql://u:p@a:1,b:2/d", "a,b", "1,2"),
     ("postgres://a,b/d?target_session_attrs=read-write", "a,b", "5432,5432"),
     ("postgresql://u@[::1]:7,h/d", "::1,h", "7,5432"), ("postgresql://u@/d?host=a,b&port=1,2", "a,b", "1,2")],
)  # fmt: skip
def test_several_hosts_are_read_as_libpq_writes_them(address: str, host: str, port: str) -> None:
    for driver in ("psycopg", "psycopg2"):
        url = url_of(address, driver)
        read = psycopg.conninfo.conninfo_to_dict(dsn_of(url))
        assert (read["host"], read["port"], read["dbname"]) == (host, port, "d")
        arguments = sa.create_engine(url).dialect.create_connect_args(url)[1]
        assert (arguments["host"], arguments["port"]) == (host, port)


def test_an_old_pgvector_is_warned_of() -> None:
    assert pgvector_warning("0.8.4") is None
    assert pgvector_warning("0.10.0") is None
    assert "can damage an index" in str(pgvector_warning("0.8.3"))
    assert "alter extension vector update" in str(pgvector_warning("0.8"))


@pytest.fixture
def pooler(server: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Address, without a database, of a PgBouncer before the server, in the mode that the test names."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed (Debian: apt-get install pgbouncer)")
    port = free_port()
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={url_of(server).query['host']} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = any\npool_mode = {request.param}\nunix_socket_dir =\n"
    )
    ours: list[str] = []
    if os.geteuid() == 0:  # PgBouncer refuses to run as root; the embedded server's user may enter its socket's folder
        ours = ["setpriv", "--reuid=pgserver", "--regid=pgserver", "--clear-groups", "--inh-caps=+dac_read_search"]
        ours += ["--ambient-caps=+dac_read_search"]
    with subprocess.Popen([*ours, program, "-q", str(tmp_path / "pgbouncer.ini")]) as process:
        try:
            end = time.monotonic() + 20
            while not _answers(port) and time.monotonic() < end:
                time.sleep(0.05)
            yield f"postgresql://postgres@127.0.0.1:{port}/"
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("pooler", ["session"], indirect=True)
def test_a_pooler_in_session_mode_serves(pooler: str, server: str, name: str) -> None:
    database = migrated(pooler + name)
    database.execute("request_ids", title_ids=[1], keep=True, requested_by="test")
    with database.batch_locks([1, 2], "stage") as ours, database.batch_locks([2, 3], "stage") as others:
        assert (ours, others) == ({1, 2}, {3})
    database.close()
    as_administrator(server, f"drop database {name} with (force)")


@pytest.mark.parametrize("pooler", ["transaction", "statement"], indirect=True)
def test_a_pooler_in_transaction_mode_is_refused_before_anything_is_made(pooler: str, server: str, name: str) -> None:
    as_administrator(server, f"create database {name}")
    with pytest.raises(DatabaseError, match=r"pooler in transaction mode .* name the server's direct address"):
        migrated(pooler + name)
    with psycopg.connect(address_of(server, name)) as connection:
        assert connection.execute("select to_regnamespace('catalog')").fetchone() == (None,)
    as_administrator(server, f"drop database {name} with (force)")
