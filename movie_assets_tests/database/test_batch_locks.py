"""Locks on batches: exclusive, free again afterwards, and lost with their connection."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets_tests.database.sessions import terminate


def test_two_runs_never_hold_the_same_batch(database: Database) -> None:
    with database.batch_locks([0, 1, 2], "movie_details") as ours:
        assert ours == {0, 1, 2}
        with database.batch_locks([2, 3], "movie_details") as theirs:
            assert theirs == {3}


def test_batches_are_free_again_afterwards(database: Database) -> None:
    with database.batch_locks([0, 1], "movie_details"):
        pass
    with database.batch_locks([0, 1], "movie_details") as again:
        assert again == {0, 1}


def test_stages_do_not_exclude_each_other(database: Database) -> None:
    with (
        database.batch_locks([0], "movie_details") as details,
        database.batch_locks([0], "movie_embeddings") as embeddings,
    ):
        assert (details, embeddings) == ({0}, {0})


def test_batches_are_free_after_an_error(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.batch_locks([0], "movie_details"):
        _ = 1 / 0
    with database.batch_locks([0], "movie_details") as again:
        assert again == {0}


def test_each_batch_goes_to_one_of_many_concurrent_runs(database: Database) -> None:
    taken: list[set[int]] = []
    everyone = threading.Barrier(4)

    def run() -> None:
        with database.batch_locks(range(64), "movie_details") as ours:
            taken.append(ours)
            everyone.wait(10)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sum(len(ours) for ours in taken) == 64
    assert set().union(*taken) == set(range(64))


@pytest.fixture
def holder(database: Database) -> Iterator[Any]:
    """Locks of a connection that the test may cut."""
    locks = database.batch_locks([0, 1], "movie_details")
    locks.__enter__()  # it is left by being cut
    yield locks
    try:
        locks.__exit__(None, None, None)
    except sa.exc.DBAPIError:
        return


# Of this database only: the server is shared with other tests, whose last connections may still be closing.
HELD_HERE = """
    select distinct pid from pg_locks
    where locktype = 'advisory' and pid <> pg_backend_pid()
      and database = (select oid from pg_database where datname = current_database())
"""


def test_locks_vanish_with_their_connection(database: Database, holder: Any) -> None:  # noqa: ARG001
    with database.transaction() as connection:
        pids = connection.exec_driver_sql(HELD_HERE).scalars().all()
    terminate(database, *pids)
    with database.batch_locks([0, 1], "movie_details") as ours:
        assert ours == {0, 1}


def test_work_that_is_done_is_not_lost_with_its_lock(database: Database) -> None:
    with database.batch_locks([0], "movie_details"), database.transaction() as connection:
        terminate(database, *connection.exec_driver_sql(HELD_HERE).scalars().all())
