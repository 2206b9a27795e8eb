"""Migrations: once, in order, by one process at a time; and a sentence for every database that cannot be used."""

import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from movie_assets.config.paths import SQL
from movie_assets.database import migrations, server_checks, short_locks
from movie_assets.database.addresses import DatabaseError, dsn_of, url_of
from movie_assets.database.database import MIGRATION_LOCK, Database
from movie_assets.database.migrations import (
    ensure_database,
    function_files,
    migrate,
    migrate_for_reading,
    require_current_schema,
)
from movie_assets_tests.conftest import address_of

SECRET = "canary-of-a-password"
FILES = [f"migrations/{path.name}" for path in sorted((SQL / "migrations").glob("*.sql"))]
FUNCTIONS = [f"{path.parent.name}/{path.name}" for path in function_files(SQL)]
COMMENTS = [f"comments/{path.name}" for path in sorted((SQL / "comments").glob("*.sql"))]
CALLS_OF_FUNCTIONS = """
select format('catalog.%%I(%%s)', p.proname, (
    select string_agg(format('null::%%s', format_type(t, null)), ', ' order by place)
    from unnest(p.proargtypes::oid[]) with ordinality a (t, place)))
from pg_proc p where p.pronamespace = 'catalog'::regnamespace order by p.proname
"""
VIEWS = "select relname from pg_class where relnamespace = 'catalog'::regnamespace and relkind = 'v' order by 1"
DEFINITIONS = "select viewname, definition from pg_views where schemaname = 'app' order by 1"
MIGRATE = """
import sys
from movie_assets.database.migrations import ensure_database, migrate
from movie_assets.database.database import Database
print("ready", flush=True)
sys.stdin.readline()
ensure_database(sys.argv[1])
print(len(migrate(Database(sys.argv[1]))))
"""


@pytest.fixture
def empty(server: str, empty_address: str) -> Iterator[Database]:
    """A database without anything in it."""
    ensure_database(empty_address)
    opened = Database(empty_address)
    yield opened
    opened.close()
    as_administrator(server, f"drop database {opened.url.database} with (force)")


@pytest.fixture
def own_sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the SQL files that a test may edit."""
    shutil.copytree(SQL, tmp_path / "sql")
    monkeypatch.setattr(migrations, "SQL", tmp_path / "sql")
    return tmp_path / "sql"


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


def as_administrator(server: str, *statements: str, database: str = "postgres") -> None:
    with psycopg.connect(address_of(server, database), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def as_role(address: str, role: str) -> str:
    return address.replace("postgres@", f"{role}:{SECRET}@")


def history(database: Database) -> dict[str, Any]:
    with database.transaction() as connection:
        rows = connection.execute(sa.text("select file, applied_at from movie_assets_schema")).all()
        return {row.file: row.applied_at for row in rows}


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


def test_a_function_whose_text_changed_is_applied_again(empty: Database, own_sql: Path) -> None:
    migrate(empty)
    with (own_sql / "catalog" / "funnel.sql").open("a") as file:
        file.write("\ncreate view pipeline.edited as select 1 as one;\n")
    assert migrate(empty) == ["catalog/funnel.sql"]
    assert migrate(empty) == []
    with empty.transaction() as connection:
        assert connection.exec_driver_sql("select one from pipeline.edited").scalar() == 1


def test_a_view_that_is_created_again_keeps_its_comments(empty: Database, own_sql: Path) -> None:
    migrate(empty)
    said = "select obj_description('pipeline.funnel'::regclass) || col_description('pipeline.funnel'::regclass, 1)"
    with empty.transaction() as connection:
        before = connection.exec_driver_sql(said).scalar()
    with (own_sql / "catalog" / "funnel.sql").open("a") as file:
        file.write("-- another release, which drops the view and creates it again\n")
    migrate(empty)
    with empty.transaction() as connection:
        assert connection.exec_driver_sql(said).scalar() == before is not None


@pytest.fixture
def reader(empty: Database, own_sql: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection[Any]]:
    """An application that has read the movies in a transaction that is open, while a migration changes their table."""
    migrate(empty)
    (own_sql / "migrations" / "9999_a_column.sql").write_text("alter table catalog.movies add column a_column integer;")
    monkeypatch.setattr(short_locks, "LOCK_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(short_locks, "SECONDS_BETWEEN_LOCK_ATTEMPTS", 0.2)
    with psycopg.connect(dsn_of(empty.url), application_name="a slow report") as connection:
        connection.execute("select from catalog.movies")
        yield connection


def test_a_migration_that_waits_in_vain_names_the_session_and_holds_up_nobody(
    empty: Database, reader: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(short_locks, "LOCK_ATTEMPTS", 2)
    with pytest.raises(DatabaseError, match=r"9999_a_column.sql needs a lock .*a slow report.*nothing of it was"):
        migrate(empty)
    reader.rollback()
    assert migrate(empty) == ["migrations/9999_a_column.sql"]


def test_a_migration_goes_on_when_a_reader_ends(empty: Database, reader: psycopg.Connection[Any]) -> None:
    ends = threading.Timer(1.0, reader.rollback)
    ends.start()
    assert migrate(empty) == ["migrations/9999_a_column.sql"]
    ends.join()


def test_what_only_reads_goes_on_while_a_newer_release_migrates_and_after_it(
    empty: Database, own_sql: Path, caplog: pytest.LogCaptureFixture
) -> None:
    migrate(empty)
    (own_sql / FILES[-1]).unlink()
    newer = history(empty)
    with empty.transaction() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_lock(MIGRATION_LOCK)))
        migrate_for_reading(empty)
        connection.execute(sa.select(sa.func.pg_advisory_unlock(MIGRATION_LOCK)))
    assert f"was migrated by a newer movie_assets ({FILES[-1]}); reading" in caplog.text
    assert history(empty) == newer


def test_what_only_reads_migrates_a_database_that_lacks_something(empty: Database) -> None:
    migrate_for_reading(empty)
    require_current_schema(empty)


def test_a_release_leaves_what_applications_built_on_functions_and_views(empty: Database, own_sql: Path) -> None:
    migrate(empty)
    with empty.transaction() as connection:
        connection.exec_driver_sql("create schema app")
        for number, (call,) in enumerate(connection.exec_driver_sql(CALLS_OF_FUNCTIONS).all()):
            connection.exec_driver_sql(f"create view app.v{number} as select count(*) from {call}")
        for (name,) in connection.exec_driver_sql(VIEWS).all():
            connection.exec_driver_sql(f"create view app.on_{name} as select * from catalog.{name}")
        before = connection.exec_driver_sql(DEFINITIONS).all()
    assert len(before) > 50
    release(own_sql)
    assert migrate(empty)[: len(FUNCTIONS)] == FUNCTIONS
    with empty.transaction() as connection:
        assert connection.exec_driver_sql(DEFINITIONS).all() == before


def test_functions_are_replaced_all_together_or_not_at_all(
    empty: Database, own_sql: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty)
    before = history(empty)
    release(own_sql)
    monkeypatch.setattr(short_locks, "LOCK_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(short_locks, "LOCK_ATTEMPTS", 1)
    monkeypatch.setattr(short_locks, "SECONDS_BETWEEN_LOCK_ATTEMPTS", 0.0)
    with psycopg.connect(dsn_of(empty.url)) as reader:
        reader.execute("select from catalog.upcoming")
        with pytest.raises(DatabaseError, match="one of the functions and views needs a lock"):
            migrate(empty)
    assert history(empty) == before
    assert migrate(empty)[: len(FUNCTIONS)] == FUNCTIONS


def release(sql: Path, **bodies: tuple[str, str]) -> None:
    """Make a release of the SQL files in which every function is written anew, some of them with another body."""
    for path in function_files(sql):
        before, after = bodies.get(path.stem, ("", ""))
        text = path.read_text()
        assert before in text
        path.write_text(f"{text.replace(before, after, 1)}\n-- another release\n")


def roll_back(sql: Path) -> None:
    shutil.copytree(SQL, sql, dirs_exist_ok=True)


def test_a_release_with_other_bodies_is_rolled_back_by_its_functions(empty: Database, own_sql: Path) -> None:
    def version() -> int:
        with empty.transaction() as connection:
            return int(connection.exec_driver_sql("select pipeline.document_version()").scalar_one())

    migrate(empty)
    before = version()
    release(own_sql, search_documents=(f"return {before};", "return 99;"))
    assert migrate(empty) == FUNCTIONS
    assert version() == 99
    roll_back(own_sql)
    assert migrate(empty) == FUNCTIONS
    assert version() == before


def test_a_release_with_other_columns_cannot_be_rolled_back_but_taken_again(empty: Database, own_sql: Path) -> None:
    migrate(empty)
    newer = own_sql / "operations" / "alerts.sql"
    text = newer.read_text().replace("alert_id bigint)", "alert_id integer)")
    newer.write_text(f"drop function pipeline.alerts_to_tell;\n{text}")
    release(own_sql)
    assert migrate(empty) == FUNCTIONS
    roll_back(own_sql)
    with pytest.raises(DatabaseError, match=r"operations/alerts.sql cannot replace .*cannot change return type"):
        migrate(empty)
    with pytest.raises(DatabaseError, match=r"does not have this checkout.*operations/alerts.sql"):
        require_current_schema(empty)
    newer.write_text(f"drop function pipeline.alerts_to_tell;\n{text}\n-- another release\n")
    migrate(empty)
    require_current_schema(empty)


def test_a_new_migration_is_applied_alone(empty: Database, own_sql: Path) -> None:
    migrate(empty)
    (own_sql / "migrations" / "0999_more.sql").write_text("create table pipeline.more ();")
    assert migrate(empty) == ["migrations/0999_more.sql"]


def test_a_database_of_a_release_before_keeps_the_changes_that_wait_and_forgets_the_others(
    empty: Database, own_sql: Path
) -> None:
    newest = own_sql / "migrations" / "0022_waiting_changes.sql"
    text = newest.read_text()
    newest.unlink()
    migrate(empty)
    with empty.transaction() as connection:
        connection.exec_driver_sql("""
            insert into pipeline.movie_ids (tmdb_id, original_title, first_seen, fetched_at, changed_at) values
                (1, 'fetched', '2026-10-05', '2026-10-05 12:00+00', '2026-10-05 12:00+00'),
                (2, 'waits', '2026-10-05', '2026-10-05 12:00+00', '2026-10-06 12:00+00'),
                (3, 'never fetched', '2026-10-05', null, '2026-10-06 12:00+00')
        """)
    newest.write_text(text)
    assert migrate(empty) == ["migrations/0022_waiting_changes.sql"]
    with empty.transaction() as connection:
        waiting = connection.exec_driver_sql("select tmdb_id from pipeline.movie_ids where changed_at is not null")
        assert set(waiting.scalars()) == {2, 3}


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
def test_what_is_no_postgres_address_is_refused_without_repeating_it(address: str) -> None:
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
    ) as told:
        migrate_as(role, address)
    assert SECRET not in str(told.value)
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
    with pytest.raises(DatabaseError, match=f'the role "{role}" may not create schemas in database') as told:
        migrate_as(role, empty.url.render_as_string(hide_password=False))
    assert "make the role the database's owner" in str(told.value)
    assert "\n" not in str(told.value)


def test_a_role_that_may_not_create_schemas_is_told(server: str, role: str, empty: Database) -> None:
    name = str(empty.url.database)
    as_administrator(server, "create extension vector", f"grant create on schema public to {role}", database=name)
    try:
        with pytest.raises(DatabaseError, match=f'the role "{role}" may not create schemas in database'):
            migrate_as(role, empty.url.render_as_string(hide_password=False))
    finally:
        as_administrator(server, f"drop owned by {role}", database=name)


def test_what_the_sentences_ask_for_is_all_it_takes(server: str, role: str, empty_address: str) -> None:
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
