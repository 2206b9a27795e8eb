"""The classes of Dagster's storage and files, which dagster.yaml names, like `orchestration.step_logs`.

Dagster's own commands (`dg dev`, `dagster job execute`) need no environment variables: the first of these classes that
a process creates prepares everything (`startup.prepare_for_dagster`).

Records are stored in Postgres over pooled connections. Dagster itself opens a connection for each event and poll, some
1,400 in a day without changes, and each of them is a process of Postgres.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg2.extensions
import sqlalchemy as sa
from dagster_postgres import DagsterPostgresStorage

from movie_assets.database.addresses import DatabaseError, url_of
from movie_assets.database.embedded import embedded_data
from movie_assets.database.interrupts import signals_deferred
from movie_assets.database.retry import sentence_of
from movie_assets.orchestration.startup import DAGSTER_DATABASE, DAGSTER_FILES, prepare_for_dagster
from movie_assets.runs.dagster_compat import (
    ConfigurableClassData,
    LocalArtifactStorage,
    RunStorageSqlMetadata,
    ScheduleStorageSqlMetadata,
    SqlEventLogStorageMetadata,
)

MISSING_RIGHT = "42501"


class PooledPostgresStorage(DagsterPostgresStorage):
    """Dagster's own storage, whose three parts share one pool of connections.

    The pool keeps one connection and closes others after use. It tests the connection before each use, so that a
    restart of the server has no effect.
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        with signals_deferred(), _missing_right_explained(postgres_url):
            super().__init__(postgres_url, inst_data=inst_data)
        engine = sa.create_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",
            pool_size=1,
            max_overflow=-1,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        sa.event.listen(engine, "handle_error", _shorten_error)
        with _missing_right_explained(postgres_url):
            _complete(engine)
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            part._engine = engine  # noqa: SLF001  # as its optimize_for_webserver does
        self._run_storage.dispose = engine.dispose  # type: ignore[method-assign]  # an instance calls it at its end

    @classmethod
    def config_type(cls) -> dict[str, object]:
        """Return the keys of the configuration: none."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, object]) -> Self:  # noqa: ARG003
        """Open the storage at the address in the settings, or on the embedded server."""
        prepare_for_dagster()
        address = url_of(os.environ[DAGSTER_DATABASE], "psycopg2")
        return cls(address.render_as_string(hide_password=False), inst_data)


@sa.event.listens_for(sa.Pool, "connect")  # of every pool: Dagster's web server opens others in place of this one
def _find_tables(connection: object, _record: object) -> None:
    """Let a session of Dagster use the schema public if the role's search_path has no schema."""
    if not isinstance(connection, psycopg2.extensions.connection):  # connections of psycopg 3 are the catalogue's
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "select set_config('search_path', 'public', false) "
            "where coalesce(current_schema(), 'pg_catalog') = 'pg_catalog'"
        )
    connection.commit()


@contextmanager
def _missing_right_explained(address: str) -> Iterator[None]:
    try:
        yield
    except sa.exc.ProgrammingError as error:
        if getattr(error.orig, "pgcode", None) != MISSING_RIGHT:
            raise
        url = url_of(address)
        raise DatabaseError(
            f'the role "{url.username}" lacks a right on Dagster\'s database "{url.database}" '
            f"({str(error.orig).strip().splitlines()[0]}); have an administrator make the role the database's owner, "
            f'or run there: grant create on schema public to "{url.username}"'
        ) from None


def _shorten_error(context: sa.engine.ExceptionContext) -> None:
    """Raise one sentence after a full disk or a lost server, instead of an error with the whole text of an event."""
    error = context.sqlalchemy_exception
    if context.statement is None or not isinstance(error, sa.exc.DBAPIError):
        return
    data = embedded_data(os.environ[DAGSTER_DATABASE], Path(os.environ[DAGSTER_FILES]).parent)
    if sentence := sentence_of(error, data):
        raise DatabaseError(sentence) from None


def _complete(engine: sa.Engine) -> None:
    """Create the tables that are missing.

    Dagster creates each part's tables one by one where the part's first one is missing; a process that was killed in
    between would leave a part without the others for ever.
    """
    present = set(sa.inspect(engine).get_table_names())
    for part in (RunStorageSqlMetadata, SqlEventLogStorageMetadata, ScheduleStorageSqlMetadata):
        if not {table.name for table in part.sorted_tables} <= present:
            part.create_all(engine)


class Artifacts(LocalArtifactStorage):
    """Dagster's files of runs, in the data folder."""

    @classmethod
    def config_type(cls) -> dict[str, object]:
        """Return the keys of the configuration: none."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: object) -> "Artifacts":  # noqa: ARG003
        """Use the folder in the settings."""
        prepare_for_dagster()
        return cls(os.environ[DAGSTER_FILES], inst_data)
