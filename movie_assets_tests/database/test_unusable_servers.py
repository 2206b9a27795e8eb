"""Servers, addresses and roles that a migration cannot use: each error is a sentence without the password."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from movie_assets.database.addresses import DatabaseError, dsn_of, url_of
from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database
from movie_assets.database.migrations import migrate, require_current_schema
from movie_assets_tests.conftest import address_of
from movie_assets_tests.database.empty_databases import COMMENTS, FILES, FUNCTIONS, as_administrator

SECRET = "canary-of-a-password"


@pytest.fixture
def role(server: str) -> Iterator[str]:
    """A role that may log in and nothing else."""
    name = f"limited_{uuid.uuid4().hex[:8]}"
    as_administrator(server, f"create role {name} login password '{SECRET}'")
    yield name
    with psycopg.connect(address_of(server, "postgres"), autocommit=True) as connection:
        owned = f"select datname from pg_database where datdba = '{name}'::regrole"
        for (database,) in connection.execute(owned.encode()).fetchall():
            connection.execute(f'drop database "{database}" with (force)'.encode())
        connection.execute(f"drop role {name}".encode())


def as_role(address: str, role: str) -> str:
    return address.replace("postgres@", f"{role}:{SECRET}@")


# Reaching the server


@pytest.mark.parametrize(
    "address",
    [
        "",
        "movie_assets",
        f"host=db password={SECRET}",
        f"mysql://u:{SECRET}@h/d",
        f"postgresql://u:{SECRET}@h:port/d",
        f"postgresql://u:{SECRET}@[::1/d",
        f"http://[{SECRET}",
        f"u:{SECRET}@h/d",
    ],
)
def test_an_address_of_no_postgres_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(DatabaseError, match="not of the form postgresql://user:password@host:port/name") as refused:
        ensure_database(address)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://u:{SECRET}@127.0.0.1:1/d",
        f"postgres://u:{SECRET}@127.0.0.1:1/d",
        f"postgresql://127.0.0.1:1/d?user=u&password={SECRET}",
        f"postgresql://u:{SECRET}@127.0.0.1:1/d?no_such_option=1",
        f"postgresql://u:{SECRET}@127.0.0.1:1/d?sslmode=odd",
        f"postgresql://u:{SECRET}@127.0.0.1:99999/d",
        f"postgresql://u:{SECRET}@no-such-host.invalid/d",
        f"postgresql://u:{SECRET}@/d?host=/no/such/folder",
    ],
)
def test_a_server_that_cannot_be_reached_is_told_without_the_password(address: str) -> None:
    with pytest.raises(DatabaseError) as refused:
        ensure_database(address)
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_server_that_is_gone_when_migrating_is_told_without_the_password() -> None:
    database = Database(f"postgresql://u:{SECRET}@127.0.0.1:1/d")
    with pytest.raises(DatabaseError, match=r"u:\*\*\*@127\.0\.0\.1:1/d cannot be reached") as refused:
        migrate(database)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("password", ["a+b", "a b", "a++ b", "a%b", "a@b:c/d?e#f", "100%", "ä", "a&b=c", "'\"\\"])
def test_a_password_of_any_characters_reaches_the_server_as_it_is(password: str) -> None:
    url = sa.URL.create("postgresql", "u", password, "h", 5432, "d")
    read = psycopg.conninfo.conninfo_to_dict(dsn_of(url_of(url.render_as_string(hide_password=False))))
    assert (read["password"], read["user"], read["host"], read["dbname"]) == (password, "u", "h", "d")


def test_a_wrong_password_is_told_without_showing_it(server: str, role: str, empty: Database) -> None:
    # The embedded server trusts whoever reaches its socket; for this role and database it asks.
    with psycopg.connect(address_of(server, "postgres"), autocommit=True) as connection:
        rows = connection.execute("show hba_file").fetchone()
        assert rows is not None
        rules = Path(rows[0])
        before = rules.read_text()
        try:
            rules.write_text(f"local all {role} scram-sha-256\n{before}")
            connection.execute("select pg_reload_conf()")
            address = empty.url.render_as_string(hide_password=False).replace("postgres@", f"{role}:wrong-{SECRET}@")
            with pytest.raises(DatabaseError, match="password authentication failed") as refused:
                ensure_database(address)
        finally:
            rules.write_text(before)
            connection.execute("select pg_reload_conf()")
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)


# Rights


def test_a_database_that_is_missing_is_made(server: str, empty_address: str) -> None:
    ensure_database(empty_address)
    with psycopg.connect(empty_address) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    as_administrator(server, f"drop database {url_of(empty_address).database}")


def test_a_database_that_is_there_is_left_alone(empty: Database) -> None:
    migrate(empty)
    ensure_database(empty.url.render_as_string(hide_password=False))
    assert migrate(empty) == []


def test_a_name_with_quotes_and_blanks_can_be_a_databases(server: str) -> None:
    address = address_of(server, "odd%20%22name")
    ensure_database(address)
    ensure_database(address)
    as_administrator(server, 'drop database "odd ""name"')


def test_a_role_that_may_not_create_the_database_is_told_what_to_run(role: str, empty_address: str) -> None:
    name = url_of(empty_address).database
    with pytest.raises(DatabaseError, match=f'create database "{name}" owner "{role}"') as refused:
        ensure_database(as_role(empty_address, role))
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)


def migrate_as(role: str, address: str) -> list[str]:
    database = Database(as_role(address, role))
    try:
        return migrate(database)
    finally:
        database.close()


def test_a_role_without_rights_on_the_database_is_told_what_to_run(role: str, empty: Database) -> None:
    address = empty.url.render_as_string(hide_password=False)
    with pytest.raises(
        DatabaseError, match=f'may not create schemas .* grant create on database .* to "{role}"'
    ) as raised:
        migrate_as(role, address)
    assert SECRET not in str(raised.value)
    with empty.transaction() as connection:
        assert connection.exec_driver_sql("select to_regclass('public.movie_assets_schema')").scalar() is None


def test_a_role_that_may_not_replace_a_function_is_told(server: str, role: str, empty: Database, own_sql: Path) -> None:
    migrate(empty)
    as_administrator(
        server, f"grant create on schema public to {role}", f"grant all on movie_assets_schema to {role}",
        f"grant all on schema pipeline to {role}", database=str(empty.url.database),
    )  # fmt: skip
    with (own_sql / "catalog" / "funnel.sql").open("a") as file:
        file.write("\n-- edited\n")
    try:
        with pytest.raises(DatabaseError, match=f'the role "{role}" lacks a right on database'):
            migrate_as(role, empty.url.render_as_string(hide_password=False))
    finally:
        as_administrator(server, f"drop owned by {role}", database=str(empty.url.database))


def test_a_role_that_may_not_create_tables_is_told(server: str, role: str, empty: Database) -> None:
    as_administrator(server, "create extension vector", database=str(empty.url.database))
    with pytest.raises(DatabaseError, match=f'the role "{role}" may not create schemas in database') as raised:
        migrate_as(role, empty.url.render_as_string(hide_password=False))
    assert "make the role the database's owner" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_role_that_may_not_create_schemas_is_told(server: str, role: str, empty: Database) -> None:
    name = str(empty.url.database)
    as_administrator(server, "create extension vector", f"grant create on schema public to {role}", database=name)
    try:
        with pytest.raises(DatabaseError, match=f'the role "{role}" may not create schemas in database'):
            migrate_as(role, empty.url.render_as_string(hide_password=False))
    finally:
        as_administrator(server, f"drop owned by {role}", database=name)


def test_the_rights_that_the_errors_name_are_enough(server: str, role: str, empty_address: str) -> None:
    name = str(url_of(empty_address).database)
    as_administrator(server, f'create database "{name}" owner "{role}"')
    as_administrator(server, "create extension vector", database=name)
    ensure_database(as_role(empty_address, role))
    assert migrate_as(role, empty_address) == [*FILES, *FUNCTIONS, *COMMENTS]


def test_a_database_that_was_never_migrated_is_refused_with_what_to_do(empty_address: str) -> None:
    ensure_database(empty_address)
    database = Database(empty_address)
    with pytest.raises(DatabaseError, match="is empty; run `movie-assets migrate` first"):
        require_current_schema(database)
    database.close()
