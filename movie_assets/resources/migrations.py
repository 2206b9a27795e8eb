"""Bringing a database to the schema that this code works with, and refusing one that it cannot work with.

Migrations (sql/migrations, in order) run once, each in a transaction of its own. Functions and views
(sql/functions) are applied again whenever their text changes. Comments (sql/comments) are applied again whenever
anything changes, because a view that is dropped and created again has lost its comments.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy as sa

from movie_assets.resources.postgres import (
    LEAST_PGVECTOR,
    LEAST_POSTGRES,
    MIGRATION_LOCK,
    SQL,
    Database,
    DatabaseError,
    driver_connection,
    dsn_of,
    shown,
    url_of,
)

OTHER_SHAPE = (  # functions with other columns, views with fewer, and what others are made of
    psycopg.errors.InvalidFunctionDefinition,
    psycopg.errors.InvalidTableDefinition,
    psycopg.errors.DependentObjectsStillExist,
)
HISTORY = """
create table if not exists public.movie_assets_schema (
    file text primary key,
    digest text not null,
    applied_at timestamptz not null default now()
)
"""


def ensure_database(address: str) -> None:
    """Create the database that an address names if its server has none of that name."""
    url = url_of(address)
    name = str(url.database)
    try:
        with psycopg.connect(dsn_of(url), connect_timeout=10):
            return
    except psycopg.OperationalError as error:
        if f'database "{name}" does not exist' not in str(error):
            raise DatabaseError(_why_unreachable(url, error)) from None
    try:
        with psycopg.connect(dsn_of(url.set(database="postgres")), autocommit=True) as server:
            server.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name)))
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return  # another process was quicker
    except psycopg.Error as error:
        raise DatabaseError(
            f'the server has no database "{name}" and this role may not create it ({_first_line(error)}); '
            f'have an administrator run: create database "{name}" owner "{url.username}"'
        ) from None


def migrate(database: Database) -> list[str]:
    """Apply what is missing, one process at a time; return the files that are new or changed.

    Raises DatabaseError when the server is too old, lacks pgvector or rights, or knows a migration that this
    code does not.
    """
    migrations = sorted((SQL / "migrations").glob("*.sql"))
    functions = sorted((SQL / "functions").glob("*.sql"))
    comments = sorted((SQL / "comments").glob("*.sql"))
    applied = []
    try:
        with _migrating_alone(database) as lock:
            _refuse_old_server(lock)
            with database.transaction() as connection:
                connection.execute(sa.text(HISTORY))
                known = {r.file: r.digest for r in connection.execute(sa.text("select * from movie_assets_schema"))}
            _refuse_other_history(known, migrations)
            for path in [*migrations, *functions]:
                if known.get(_name(path)) != _digest(path):
                    _apply(database, path)
                    applied.append(_name(path))
            changed = [_name(path) for path in comments if known.get(_name(path)) != _digest(path)]
            for path in comments if applied or changed else []:
                _apply(database, path)
            applied += changed
            database.execute("grant_reader")
    except sa.exc.OperationalError as error:
        raise DatabaseError(_why_unreachable(database.url, error.orig)) from None
    except (sa.exc.ProgrammingError, psycopg.errors.InsufficientPrivilege) as error:
        raise DatabaseError(
            f'the role "{database.url.username}" lacks a right on database "{database.url.database}" '
            f"({_first_line(error)}); have an administrator grant it, or make the role the database's owner"
        ) from None
    if applied:
        database.close()  # connections opened before the extension existed do not know its types
    return applied


@contextmanager
def _migrating_alone(database: Database) -> Iterator[sa.Connection]:
    """Hold the lock that serialises processes, on a connection that is closed with it."""
    with database.engine.connect() as connection:
        try:
            connection.execute(sa.select(sa.func.pg_advisory_lock(MIGRATION_LOCK)))
            yield connection
        finally:
            connection.invalidate()


def require_current_schema(database: Database) -> None:
    """Raise DatabaseError when the database's schema or functions are not those of this checkout."""
    with database.transaction() as connection:
        if connection.scalar(sa.text("select to_regclass('movie_assets_schema')")) is None:
            raise DatabaseError(f"the database at {shown(database.url)} is empty; run `movie-assets migrate` first")
        known = {r.file: r.digest for r in connection.execute(sa.text("select * from movie_assets_schema"))}
    files = [path for folder in ("migrations", "functions", "comments") for path in (SQL / folder).glob("*.sql")]
    other = sorted(_name(path) for path in files if known.get(_name(path)) != _digest(path))
    if other:
        raise DatabaseError(
            f"the database does not have this checkout's {', '.join(other)}; `movie-assets migrate` brings it up "
            "to date (restart what runs after an update)"
        )


def _apply(database: Database, path: Path) -> None:
    with database.transaction() as connection:
        # Functions call one another, whatever the order of their files; a large table takes its time to be rewritten.
        connection.execute(sa.text("set local check_function_bodies = off; set local statement_timeout = 0"))
        # Straight to the driver: a migration is a script of many statements and has no parameters.
        try:
            driver_connection(connection).execute(path.read_bytes())
        except OTHER_SHAPE as error:
            raise DatabaseError(
                f"{_name(path)} cannot replace what another version of movie_assets left ({_first_line(error)}); take "
                "that version again, or restore the backup from before it"
            ) from None
        connection.execute(
            sa.text(
                "insert into movie_assets_schema (file, digest) values (:file, :digest) "
                "on conflict (file) do update set digest = excluded.digest, applied_at = now()"
            ),
            {"file": _name(path), "digest": _digest(path)},
        )


def _refuse_old_server(connection: sa.Connection) -> None:
    version = int(connection.scalar(sa.text("show server_version_num")) or 0)
    if version < LEAST_POSTGRES:
        raise DatabaseError(
            f"the server is PostgreSQL {version // 10000}; movie_assets needs {LEAST_POSTGRES // 10000} or newer"
        )
    found = connection.scalar(sa.text("select default_version from pg_available_extensions where name = 'vector'"))
    if found is None:
        raise DatabaseError(
            "the server has no pgvector; install it there (Debian: postgresql-NN-pgvector) and start again"
        )
    try:
        with connection.begin_nested():
            connection.execute(sa.text("create extension if not exists vector"))
    except sa.exc.ProgrammingError:
        raise DatabaseError(
            f'the role "{connection.engine.url.username}" may not create the extension; have an administrator '
            f'run in database "{connection.engine.url.database}": create extension vector'
        ) from None
    connection.commit()
    installed = str(connection.scalar(sa.text("select extversion from pg_extension where extname = 'vector'")))
    if tuple(int(part) for part in installed.split(".")[:2]) < LEAST_PGVECTOR:
        raise DatabaseError(
            f"pgvector {installed} is installed; movie_assets needs {'.'.join(map(str, LEAST_PGVECTOR))} or newer: "
            "have an administrator run alter extension vector update"
        )


def _refuse_other_history(known: dict[str, str], migrations: list[Path]) -> None:
    ours = {_name(path): _digest(path) for path in migrations}
    newer = sorted(name for name in known if name.startswith("migrations/") and name not in ours)
    if newer:
        raise DatabaseError(
            f"the database was migrated by a newer movie_assets ({', '.join(newer)}); update this checkout"
        )
    edited = sorted(name for name, digest in ours.items() if known.get(name, digest) != digest)
    if edited:
        raise DatabaseError(f"{', '.join(edited)} was applied with another text; a change needs a new migration")


def _why_unreachable(url: sa.URL, error: BaseException | None) -> str:
    return (
        f"the database at {shown(url)} cannot be reached ({_first_line(error)}); is the server up, the address right?"
    )


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0]


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
