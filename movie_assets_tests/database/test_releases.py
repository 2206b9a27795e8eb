"""Releases: changed functions and views, readers that go on meanwhile, and rollbacks."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from movie_assets.config.paths import SQL
from movie_assets.database import short_locks
from movie_assets.database.addresses import DatabaseError, dsn_of
from movie_assets.database.database import MIGRATION_LOCK, Database
from movie_assets.database.migrations import function_files, migrate, migrate_for_reading, require_current_schema
from movie_assets_tests.database.empty_databases import FILES, FUNCTIONS, history

CALLS_OF_FUNCTIONS = """
select format('catalog.%%I(%%s)', p.proname, (
    select string_agg(format('null::%%s', format_type(t, null)), ', ' order by place)
    from unnest(p.proargtypes::oid[]) with ordinality a (t, place)))
from pg_proc p where p.pronamespace = 'catalog'::regnamespace order by p.proname
"""
VIEWS = "select relname from pg_class where relnamespace = 'catalog'::regnamespace and relkind = 'v' order by 1"
DEFINITIONS = "select viewname, definition from pg_views where schemaname = 'app' order by 1"


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
    comments_of_funnel = (
        "select obj_description('pipeline.funnel'::regclass) || col_description('pipeline.funnel'::regclass, 1)"
    )
    with empty.transaction() as connection:
        before = connection.exec_driver_sql(comments_of_funnel).scalar()
    with (own_sql / "catalog" / "funnel.sql").open("a") as file:
        file.write("-- another release, which drops the view and creates it again\n")
    migrate(empty)
    with empty.transaction() as connection:
        assert connection.exec_driver_sql(comments_of_funnel).scalar() == before is not None


@pytest.fixture
def reader(empty: Database, own_sql: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection[Any]]:
    """An application that has read the movies in a transaction that is open, while a migration changes their table."""
    migrate(empty)
    (own_sql / "migrations" / "9999_a_column.sql").write_text("alter table catalog.titles add column a_column integer;")
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


def test_a_reader_that_a_change_waits_for_and_that_waits_for_it_goes_on(empty: Database, own_sql: Path) -> None:
    migrate(empty)
    (own_sql / "migrations" / "9999_two_tables.sql").write_text(
        "lock table catalog.titles; select pg_sleep(0.6); alter table catalog.title_stats add column a_column integer;"
    )
    with psycopg.connect(dsn_of(empty.url)) as reader:
        reader.execute("select from catalog.movie_stats")
        change = threading.Thread(target=migrate, args=(empty,))
        change.start()
        is_locked = "select count(*) from pg_locks where relation = 'catalog.titles'::regclass and mode ~ 'AccessExcl'"
        while reader.execute(is_locked).fetchone() != (1,):
            assert change.is_alive()
        reader.execute("select from catalog.movies")  # raised DeadlockDetected when changes waited for 0.8 s
        reader.rollback()
        change.join()
    assert "migrations/9999_two_tables.sql" in history(empty)


def test_a_reader_goes_on_while_a_newer_release_migrates_and_after_it(
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


def test_a_reader_migrates_a_database_that_lacks_something(empty: Database) -> None:
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
