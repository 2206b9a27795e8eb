"""COPY, transactions, and the settings and ends of sessions."""

import gc
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
from pgvector import Vector
from pgvector.psycopg.halfvec import HalfVectorBinaryDumper, HalfVectorDumper
from pgvector.psycopg.vector import VectorBinaryDumper, VectorDumper
from psycopg.types.json import Jsonb

from movie_assets.database.database import Database, copy_rows, driver_connection
from movie_assets_tests.database.sessions import terminate

# COPY

COLUMNS = {
    "id": "int8", "small": "int2", "words": "text", "names": "text[]", "facts": "jsonb", "direction": "vector",
    "day": "date", "as_of": "timestamptz", "share": "float8", "flag": "bool",
}  # fmt: skip
MOMENT = datetime(2026, 11, 19, 12, tzinfo=UTC)
LINES: list[list[Any]] = [
    [2**53, 7, "फ़ 🎬\t\n\\N", ["a", '"', ""], {"a": [1, None, "ü"]}, [0.5, -1.0], date(1999, 3, 31), MOMENT, 0.1, True],
    [-1, None, "", [], {}, None, None, None, None, None],
    [0, 0, None, None, None, [1.0, 0.0], date(1, 1, 1), None, -0.0, False],
]  # fmt: skip


def staged(line: list[Any]) -> list[Any]:
    """A line with its document and vector as the driver takes them."""
    document, vector = line[4], line[5]
    return [
        *line[:4],
        None if document is None else Jsonb(document),
        None if vector is None else Vector(np.array(vector, dtype=np.float32)),
        *line[6:],
    ]


def plain(row: sa.Row[Any]) -> list[Any]:
    return [value.to_list() if isinstance(value, Vector) else value for value in row]


def read_back(database: Database, lines: list[list[Any]]) -> list[list[Any]]:
    definition = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    with database.transaction() as connection:
        connection.exec_driver_sql(f"create temp table copied ({definition}, line serial) on commit drop")
        assert copy_rows(connection, "copied", COLUMNS, map(staged, lines)) == len(lines)
        statement = f"select {', '.join(COLUMNS)} from copied order by line"
        return [plain(row) for row in connection.exec_driver_sql(statement)]


def test_copied_rows_are_read_back(database: Database) -> None:
    back = read_back(database, LINES)
    assert back == LINES


def test_no_lines_copy_nothing(database: Database) -> None:
    assert read_back(database, []) == []


def test_a_copy_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(psycopg.DataError), database.transaction() as connection:  # noqa: PT012
        connection.exec_driver_sql("insert into pipeline.pace (service) values ('other')")
        copy_rows(connection, "pipeline.pace", {"service": "text"}, [["a\0b"]])
    with database.transaction() as connection:
        assert connection.exec_driver_sql("select count(*) from pipeline.pace").scalar() == 1


# Transactions and sessions


def test_a_transaction_that_raises_changes_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:  # noqa: PT012
        connection.exec_driver_sql("delete from pipeline.pace")
        _ = 1 / 0
    with database.transaction() as connection:
        assert connection.exec_driver_sql("select count(*) from pipeline.pace").scalar() == 1


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_a_signal_between_a_statement_and_its_answer_is_not_hidden(
    database: Database, raised: type[BaseException]
) -> None:
    with pytest.raises(raised), database.transaction() as connection:  # noqa: PT012
        connection.exec_driver_sql("delete from pipeline.pace")
        driver_connection(connection).pgconn.send_query(b"select 1")
        raise raised
    with database.transaction() as connection:
        assert connection.exec_driver_sql("select count(*) from pipeline.pace").scalar() == 1


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("timezone", "UTC"),
        ("client_connection_check_interval", "500ms"),
        ("lock_timeout", "1min"),
        ("statement_timeout", "15min"),
        ("idle_in_transaction_session_timeout", "10min"),
        ("application_name", "movie_assets"),
    ],
)
def test_a_session_can_neither_hang_nor_keep_local_time(database: Database, setting: str, value: str) -> None:
    with database.transaction() as connection:
        assert connection.exec_driver_sql(f"show {setting}").scalar() == value


def test_a_connection_that_was_cut_is_replaced(database: Database) -> None:
    with database.transaction() as connection:
        killed = connection.exec_driver_sql("select pg_backend_pid()").scalar()
    terminate(database, killed)
    with database.transaction() as connection:
        assert connection.exec_driver_sql("select pg_backend_pid()").scalar() != killed


def test_a_connection_leaves_no_class_behind_in_the_process(database: Database) -> None:
    """psycopg never lets go of one; a code server opens a connection for each tick."""

    def classes() -> int:
        database.close()
        with database.transaction() as connection:
            connection.execute(sa.text("select cast(:v as vector)"), {"v": np.ones(3, np.float32)})
        gc.collect()
        kinds = (VectorDumper, VectorBinaryDumper, HalfVectorDumper, HalfVectorBinaryDumper)
        return sum(len(kind.__subclasses__()) for kind in kinds)

    before = classes()
    assert [classes() for _ in range(5)] == [before] * 5
