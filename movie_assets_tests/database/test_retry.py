"""Work is repeated after an error of the database, exactly once; when that does not help, the error is a sentence."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from movie_assets.database import retry as retry_policy
from movie_assets.database.addresses import DatabaseError, dsn_of
from movie_assets.database.database import Database
from movie_assets.database.retry import ATTEMPTS_AT_A_COLLISION, ATTEMPTS_AT_A_LOST_CONNECTION
from movie_assets_tests.conftest import address_of, database_of_ones_own

CUT = "select pg_terminate_backend(pg_backend_pid())"
COUNT = "insert into notes (note) values ('once')"


@pytest.fixture(scope="module")
def one_database(server: str, template: str) -> Iterator[Database]:
    """A database with a table to write into."""
    with database_of_ones_own(server, template) as opened:
        with opened.transaction() as connection:
            connection.exec_driver_sql("create table notes (id bigint generated always as identity, note text)")
        yield opened


@pytest.fixture
def notes(one_database: Database) -> Iterator[Database]:
    """The table, empty, in a database that takes writes and that nobody is connected to."""
    takes_writes(one_database, writes=True)
    with another_session(one_database) as other:
        other.execute("truncate notes, pipeline.units")
    opened = Database(one_database.url.render_as_string(hide_password=False))
    yield opened
    opened.close()


def written(database: Database) -> int:
    with database.transaction() as connection:
        return int(connection.exec_driver_sql("select count(*) from notes").scalar_one())


@contextmanager
def another_session(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(dsn_of(database.url), autocommit=True) as connection:
        yield connection


class Work:
    """A unit of work that fails in some way in its first attempts."""

    def __init__(self, *failures: str) -> None:
        self.failures = list(failures)
        self.attempts = 0

    def __call__(self, connection: sa.Connection) -> str:
        self.attempts += 1
        connection.exec_driver_sql(COUNT)
        if self.failures:
            connection.exec_driver_sql(self.failures.pop(0))
        return f"attempt {self.attempts}"


def raising(state: str) -> str:
    return f"do $$ begin raise exception 'as made up' using errcode = '{state}'; end $$"


# Done again


@pytest.mark.parametrize("failure", [CUT, raising("57P02"), raising("08006"), raising("40001"), raising("40P01")])
def test_work_that_the_server_ended_is_done_again_once(notes: Database, failure: str) -> None:
    work = Work(failure)
    assert notes.once(work) == "attempt 2"
    assert written(notes) == 1


def test_a_read_that_was_cut_is_done_again(notes: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = [CUT]
    monkeypatch.setattr("movie_assets.database.database.query_text", lambda _: cuts.pop() if cuts else "select 7 as n")
    assert notes.fetch_value(int, "any") == 7
    cuts.append(CUT)
    assert notes.frame("any")["n"].tolist() == [7]


def test_a_commit_whose_answer_was_lost_is_not_done_twice(notes: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    losses: list[int] = []

    def commit_and_lose(connection: Any) -> None:
        connection.commit()
        if not losses:
            losses.append(1)
            connection.execute(CUT)

    monkeypatch.setattr(notes.engine.dialect, "do_commit", commit_and_lose)
    work = Work()
    assert notes.once(work) == "attempt 1"
    assert (work.attempts, losses, written(notes)) == (1, [1], 1)


def test_a_deadlock_ends_with_both_done(notes: Database) -> None:
    both = threading.Barrier(2)

    def lock(first: int, second: int) -> None:
        met = False

        def work(connection: sa.Connection) -> None:
            nonlocal met
            connection.exec_driver_sql(f"select pg_advisory_xact_lock({first})")
            if not met:
                met = True
                both.wait(10)
            connection.exec_driver_sql(f"select pg_advisory_xact_lock({second})")
            connection.exec_driver_sql(COUNT)

        notes.once(work)

    threads = [threading.Thread(target=lock, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert written(notes) == 2


def takes_writes(database: Database, *, writes: bool) -> None:
    with psycopg.connect(dsn_of(database.url.set(database="postgres")), autocommit=True) as other:
        read_only = "off" if writes else "on"
        other.execute(
            f'alter database "{database.url.database}" set default_transaction_read_only = {read_only}'.encode()
        )
    if not writes:
        database.close()


def test_a_server_that_takes_no_writes_for_a_while_is_waited_for(notes: Database) -> None:
    takes_writes(notes, writes=False)
    later = threading.Timer(0.6, takes_writes, (notes,), {"writes": True})
    later.start()
    began = time.monotonic()
    assert notes.once(Work()) == "attempt 1"
    assert 0.5 <= time.monotonic() - began < 20
    later.join()
    assert written(notes) == 1


# Given up, with a sentence


@pytest.mark.parametrize(
    ("state", "attempts", "message"),
    [
        ("40P01", ATTEMPTS_AT_A_COLLISION, "other transactions got in the way"),
        ("08006", ATTEMPTS_AT_A_LOST_CONNECTION, "the connection to the database was lost"),
        ("53100", 1, "disk is full.*Make room there"),
        ("53200", 1, "out of memory"),
        ("55P03", 1, "held a lock.*pg_blocking_pids"),
        ("57014", 1, "took too long"),
    ],
)
def test_an_error_that_remains_names_the_repair(notes: Database, state: str, attempts: int, message: str) -> None:
    work = Work(*[raising(state)] * 9)
    with pytest.raises(DatabaseError, match=message) as given_up:
        notes.once(work)
    assert "as made up" in str(given_up.value)
    assert "everything committed before is kept" in str(given_up.value)
    assert (work.attempts, written(notes)) == (attempts, 0)


@pytest.mark.parametrize("failure", ["select 1 / 0", "select * from no_such_table", raising("42501"), raising("23505")])
def test_what_is_wrong_with_a_statement_is_no_trouble_of_the_server(notes: Database, failure: str) -> None:
    work = Work(failure)
    with pytest.raises(sa.exc.DBAPIError):
        notes.once(work)
    assert work.attempts == 1


def test_an_error_of_our_own_changes_nothing_and_comes_out_as_it_is(notes: Database) -> None:
    def work(connection: sa.Connection) -> None:
        connection.exec_driver_sql(COUNT)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        notes.once(work)
    assert written(notes) == 0


def test_a_lock_that_another_session_holds_is_waited_for_no_longer_than_the_timeout(notes: Database) -> None:
    def work(connection: sa.Connection) -> None:
        connection.exec_driver_sql("set local lock_timeout = 300")
        connection.exec_driver_sql(COUNT)

    with another_session(notes) as other, other.transaction():
        other.execute("lock table notes")
        began = time.monotonic()
        with pytest.raises(DatabaseError, match="held a lock"):
            notes.once(work)
        assert time.monotonic() - began < 5


def test_a_statement_that_takes_too_long_is_ended_and_told(notes: Database) -> None:
    def work(connection: sa.Connection) -> None:
        connection.exec_driver_sql("set local statement_timeout = 200")
        connection.exec_driver_sql("select pg_sleep(20)")

    with pytest.raises(DatabaseError, match="took too long"):
        notes.once(work)


def test_a_server_that_takes_no_writes_is_told_after_the_wait(notes: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_policy, "SECONDS_TO_WAIT", 0.5)
    takes_writes(notes, writes=False)
    with pytest.raises(DatabaseError, match=r"takes no writes.*MOVIE_ASSETS_DATABASE_URL name the primary"):
        notes.once(Work())


def test_too_many_clients_are_waited_for_and_then_told(
    server: str, notes: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_policy, "SECONDS_TO_WAIT", 0.5)
    role = f"crowd_{notes.url.database}"
    with psycopg.connect(address_of(server, "postgres"), autocommit=True) as administrator:
        administrator.execute(f"create role {role} login connection limit 1".encode())
        administrator.execute(f'grant all on database "{notes.url.database}" to {role}'.encode())
        crowded = Database(notes.url.set(username=role).render_as_string(hide_password=False))
        try:
            with crowded.transaction(), pytest.raises(DatabaseError, match=r"lost or refused .*max_connections"):
                crowded.fetch_value(int, "count_movies")
            administrator.execute(f"alter role {role} connection limit 9".encode())
            with crowded.transaction(), suppress(sa.exc.ProgrammingError):  # it may connect, and read nothing
                crowded.fetch_value(int, "count_movies")
        finally:
            crowded.close()
            administrator.execute(f'revoke all on database "{notes.url.database}" from {role}'.encode())
            administrator.execute(f"drop role {role}".encode())


def test_a_server_that_is_away_is_waited_for_once_and_not_at_every_call(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retry_policy, "SECONDS_TO_WAIT", 1.0)
    nowhere = Database("postgresql://u:canary@127.0.0.1:1/d")
    began = time.monotonic()
    with caplog.at_level(logging.WARNING), pytest.raises(DatabaseError, match=r"lost.*refused") as away:
        nowhere.fetch_value(int, "count_movies")
    assert 0.5 < time.monotonic() - began < 5
    assert "waiting up to 1 s" in caplog.text
    assert "canary" not in str(away.value) + caplog.text
    began = time.monotonic()
    with pytest.raises(DatabaseError):
        nowhere.fetch_value(int, "count_movies")
    assert time.monotonic() - began < 0.5


def cut_the_locks(database: Database) -> None:
    with another_session(database) as other:
        held = "select pid from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where "
        for (pid,) in other.execute(f"{held} datname = current_database())".encode()).fetchall():
            other.execute("select pg_terminate_backend(%s, 5000)", (pid,))


def test_locks_that_were_lost_are_taken_again_before_the_next_work(notes: Database) -> None:
    with notes.batch_locks([0, 1], "movie_details"):
        cut_the_locks(notes)
        notes.once(Work())
        with notes.batch_locks([0, 1, 2], "movie_details") as theirs:
            assert theirs == {2}


def test_work_stops_when_another_run_took_the_lost_locks(notes: Database) -> None:
    other = Database(notes.url.render_as_string(hide_password=False))
    work = Work()
    with notes.batch_locks([0, 1], "movie_details"):
        cut_the_locks(notes)
        with (
            other.batch_locks([1], "movie_details"),
            pytest.raises(DatabaseError, match="movie_details was lost, and another run has taken 1 of its 2 batches"),
        ):
            notes.once(work)
    other.close()
    assert (work.attempts, written(notes)) == (0, 0)


def test_units_of_earlier_days_are_forgotten(notes: Database) -> None:
    with notes.transaction() as connection:
        connection.exec_driver_sql(
            "insert into pipeline.units select gen_random_uuid(), now() - interval '2 days' from generate_series(1, 15)"
        )
    for _ in range(2):
        notes.once(Work())
    with notes.transaction() as connection:
        assert connection.exec_driver_sql("select count(*) from pipeline.units").scalar() == 2
