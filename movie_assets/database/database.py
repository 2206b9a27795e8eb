"""The catalogue's Postgres: connections, queries by name, binary COPY, and repetition after errors.

`database.queries` reads the SQL. `database.retry` classifies errors; `database.embedded` starts an embedded server.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection

from movie_assets.config.settings import Settings
from movie_assets.database.addresses import DatabaseError, url_of
from movie_assets.database.batch_locks import BatchLocks, LocksLostError
from movie_assets.database.embedded import embedded_data, full_disk
from movie_assets.database.queries import query_text
from movie_assets.database.retry import READ_ONLY, DatabaseRetries, GivenUpError
from movie_assets.database.sessions import start_session
from movie_assets.database.vector_types import register_vectors
from movie_assets.retries.policy import RetryPolicy

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
R = TypeVar("R", bound=NamedTuple)  # a class that has the columns of a query
MIGRATION_LOCK = 0x6D6F7669  # "movi"; any number that no other program uses on the server


class Database:
    """A pool of connections to the catalogue. Every method commits on success and rolls back on an error.

    Work is repeated, within the bounds of `DatabaseRetries`, after a lost connection, a restart of the server, a
    collision of transactions or a lack of connections. An error that remains is a DatabaseError that says what to do.
    `data` is the folder of the embedded server, whose disk can be full.
    """

    def __init__(self, address: str, data: Path | None = None) -> None:
        self.url = url_of(address)
        self._data = data
        self.engine = sa.create_engine(
            self.url,
            connect_args={"connect_timeout": 10, "application_name": "movie_assets"},
            pool_pre_ping=True,
            hide_parameters=True,  # Dagster stores messages of errors for ever; parameters contain names of persons
        )
        self._reader = self.engine.execution_options(postgresql_readonly=True)
        self._locks: list[BatchLocks] = []
        self._is_given_up = False  # after a wait in vain, the next unit of work does not wait
        sa.event.listen(self.engine, "connect", _prepare)
        sa.event.listen(self.engine, "handle_error", _leave_a_standby)

    def __enter__(self) -> Self:
        """Return the database, which is closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the pooled connections."""
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()

    def full_disk(self) -> str | None:
        """Return a message if the disk of the embedded server is full; None otherwise and of any other server."""
        return full_disk(self._data) if self._data else None

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Open a transaction, which is committed at the end of the block. Unlike `once`, it is never repeated."""
        with _transaction_of(self.engine) as connection:
            yield connection

    def once(self, work: Callable[[sa.Connection], T]) -> T:
        """Do work in one transaction, exactly once whatever happens to the connection; return its result.

        The work may be begun several times, so it must not change anything but the database. Batch locks that were
        lost meanwhile are taken again before it. Raises DatabaseError when that is not possible.
        """
        unit, results = uuid.uuid4(), list[T]()

        def attempt(retries: DatabaseRetries) -> T:
            for locks in self._locks:
                locks.hold()
            with self.transaction() as connection:
                retries.began = True
                if not execute(connection, "begin_unit", unit=unit):
                    return results[-1]
                results.append(work(connection))
            return results[-1]

        return self._repeated(attempt)

    def fetch(self, row_type: type[R], query: str, **parameters: object) -> list[R]:
        """Run the query of that name in a read-only transaction, and return its rows.

        An interrupted query is run again. Raises DatabaseError when its columns are not the fields of `row_type`.
        """
        return self._read(query, lambda connection: fetch(connection, row_type, query, **parameters))

    def fetch_one(self, row_type: type[R], query: str, **parameters: object) -> R:
        """Like `fetch` for a query of exactly one row. Raises DatabaseError when it returns none or several."""
        return self._read(query, lambda connection: fetch_one(connection, row_type, query, **parameters))

    def fetch_optional(self, row_type: type[R], query: str, **parameters: object) -> R | None:
        """Like `fetch` for a query of at most one row; None without one. Raises DatabaseError for several."""
        return self._read(query, lambda connection: fetch_optional(connection, row_type, query, **parameters))

    def fetch_value(self, value_type: type[T], query: str, **parameters: object) -> T:
        """Run a query of one row with one column in a read-only transaction, and return its value.

        Raises DatabaseError when it returns something else, null included.
        """
        return self._read(query, lambda connection: fetch_value(connection, value_type, query, **parameters))

    def execute_returning(self, row_type: type[R], query: str, **parameters: object) -> list[R]:
        """Run a statement that changes something, exactly once, and return the rows that it returns."""
        return self.once(lambda connection: fetch(connection, row_type, query, **parameters))

    def execute(self, query: str, **parameters: object) -> int:
        """Run a statement that changes something, exactly once, and return the number of rows that it changed."""
        return self.once(lambda connection: execute(connection, query, **parameters))

    def frame(self, query: str, **parameters: str | float | None) -> "pd.DataFrame":
        """Run a query in a read-only transaction, and return its rows as a data frame."""
        import pandas as pd  # takes a quarter of a second, which commands would wait for

        def read(connection: sa.Connection) -> pd.DataFrame:
            try:
                return pd.read_sql_query(sa.text(query_text(query)), connection, params=parameters)
            except pd.errors.DatabaseError as error:
                raise error.__cause__ or error from None

        return self._read(query, read)

    @contextmanager
    def batch_locks(self, batches: Iterable[int], stage: str) -> Iterator[set[int]]:
        """Hold a stage's lock on each batch that no other run works on; yield the numbers of these batches."""
        locks = BatchLocks(self.engine, batches, stage)
        try:
            yield self._repeated(lambda _: self._holding(locks))
        finally:
            if locks in self._locks:
                self._locks.remove(locks)
            locks.release()

    def _holding(self, locks: BatchLocks) -> set[int]:
        taken = locks.take()
        self._locks.append(locks)
        return taken

    def _read(self, query: str, read: Callable[[sa.Connection], T], engine: sa.Engine | None = None) -> T:
        def attempt(retries: DatabaseRetries) -> T:
            with _transaction_of(engine or self._reader) as connection:
                retries.began = True
                try:
                    return read(connection)
                except sa.exc.InternalError as error:
                    if engine is None and getattr(error.orig, "sqlstate", None) == READ_ONLY:
                        raise DatabaseError(f"the query {query} changes something: it has to be executed") from error
                    raise

        return self._repeated(attempt)

    def _repeated(self, attempt: Callable[[DatabaseRetries], T]) -> T:
        retries = DatabaseRetries(is_used_up=self._is_given_up, data=self._data)
        try:
            result = RetryPolicy(retries.seconds_after).run(lambda: attempt(retries))
        except LocksLostError as error:
            raise DatabaseError(str(error)) from None
        except GivenUpError as error:
            self._is_given_up = True
            raise DatabaseError(str(error)) from None
        self._is_given_up = False
        return result


def open_database(settings: Settings) -> Database:
    """Open the catalogue's database. Raises DatabaseError when the settings have no address of it."""
    if settings.database_url is None:
        raise DatabaseError(
            "MOVIE_ASSETS_DATABASE_URL is not set; start through `movie-assets`, which starts the embedded server"
        )
    address = settings.database_url.get_secret_value()
    return Database(address, embedded_data(address, settings.home))


@contextmanager
def _transaction_of(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.begin() as connection:
        try:
            yield connection
        except BaseException as error:
            if not isinstance(error, Exception):
                # A signal's handler raises anywhere, also between a statement and its result. No rollback can be sent
                # on such a connection.
                connection.invalidate()
            raise


def fetch(connection: sa.Connection, row_type: type[R], query: str, **parameters: object) -> list[R]:
    """Run the query of that name inside a transaction that is already open, and return its rows.

    Raises DatabaseError when its columns are not the fields of `row_type`, whatever their order.
    """
    result = connection.execute(sa.text(query_text(query)), parameters)
    columns = list(result.keys())
    if sorted(columns) != sorted(row_type._fields):
        raise DatabaseError(
            f"the query {query} has the columns {columns}; {row_type.__name__} has {list(row_type._fields)}"
        )
    order = [columns.index(field) for field in row_type._fields]
    return [row_type._make(row[i] for i in order) for row in result]


def fetch_one(connection: sa.Connection, row_type: type[R], query: str, **parameters: object) -> R:
    """Like `fetch` for a query of exactly one row. Raises DatabaseError when it returns none or several."""
    result = fetch(connection, row_type, query, **parameters)
    if len(result) != 1:
        raise DatabaseError(f"the query {query} returned {len(result)} rows; it has to return one")
    return result[0]


def fetch_optional(connection: sa.Connection, row_type: type[R], query: str, **parameters: object) -> R | None:
    """Like `fetch` for a query of at most one row; None without one. Raises DatabaseError for several."""
    result = fetch(connection, row_type, query, **parameters)
    if len(result) > 1:
        raise DatabaseError(f"the query {query} returned {len(result)} rows; it may return one")
    return result[0] if result else None


def fetch_value(connection: sa.Connection, value_type: type[T], query: str, **parameters: object) -> T:
    """Run a query of one row with one column, and return its value.

    Raises DatabaseError when it returns something else, null included.
    """
    result = connection.execute(sa.text(query_text(query)), parameters).all()
    if len(result) != 1 or len(result[0]) != 1 or not isinstance(result[0][0], value_type):
        raise DatabaseError(f"the query {query} has to return one row with one {value_type.__name__}")
    value: T = result[0][0]
    return value


def execute(connection: sa.Connection, query: str, **parameters: object) -> int:
    """Run a statement inside a transaction that is already open; return the number of rows that it changed."""
    return connection.execute(sa.text(query_text(query)), parameters).rowcount


def copy_rows(connection: sa.Connection, table: str, columns: dict[str, str], lines: Iterable[Sequence[object]]) -> int:
    """Copy lines into a table in binary form, and return their number.

    `columns` has the Postgres type of each column, in the order of the values in a line.
    """
    with driver_connection(connection).cursor() as cursor:
        statement = f"copy {table} ({', '.join(columns)}) from stdin with (format binary)"
        with cursor.copy(statement.encode()) as copy:
            copy.set_types(list(columns.values()))
            for line in lines:
                copy.write_row(line)
        return cursor.rowcount


def driver_connection(connection: sa.Connection) -> psycopg.Connection:
    """Return the psycopg connection of a SQLAlchemy connection, for COPY and scripts of several statements."""
    return cast("psycopg.Connection", connection.connection.driver_connection)


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    raw = cast("psycopg.Connection", connection)
    try:
        start_session(raw)
        register_vectors(raw)
    except BaseException:
        raw.close()  # the pool does not have it yet
        raise
    raw.commit()


def _leave_a_standby(context: sa.engine.ExceptionContext) -> None:
    """Discard all connections after a refused write: they remain with a server that was demoted to a standby."""
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True
