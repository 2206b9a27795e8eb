"""Migrating a database to the schema of this code, and refusing a database that cannot be used.

Migrations (sql/migrations, in order) run once, each in a transaction of its own. Functions and views
(sql/<room>/<topic>.sql) are applied again whenever their text changes. Comments (sql/comments) are applied again
whenever anything changes, because a view that is dropped and created again loses its comments.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import sqlalchemy as sa

from movie_assets.config.paths import SQL
from movie_assets.database.addresses import DatabaseError, dsn_of, shown, url_of
from movie_assets.database.database import MIGRATION_LOCK, Database, driver_connection
from movie_assets.database.server_checks import require_encoding, require_usable

OTHER_SHAPE = (  # functions with other columns, views with fewer columns, objects that others depend on
    psycopg.errors.InvalidFunctionDefinition,
    psycopg.errors.InvalidTableDefinition,
    psycopg.errors.DependentObjectsStillExist,
)
# The table is in public, or in a schema of its own if the role may not create tables there. The connections'
# search_path has both.
HISTORY = """
do $$
begin
    if to_regclass('movie_assets_schema') is null then
        if not has_schema_privilege('public', 'CREATE') then
            create schema if not exists movie_assets;
        end if;
        execute format(
            'create table %I.movie_assets_schema (
                 file text primary key, digest text not null, applied_at timestamptz not null default now())',
            case when has_schema_privilege('public', 'CREATE') then 'public' else 'movie_assets' end);
    end if;
end
$$
"""
SECONDS_A_POOLER_REMEMBERS = 40  # PgBouncer's server_login_retry is 15
LOCK_TIMEOUT_SECONDS = 2.0  # readers that arrive meanwhile wait as long
SECONDS_BETWEEN_LOCK_ATTEMPTS = 3.0
LOCK_ATTEMPTS = 24  # two minutes in all
MAINTENANCE_DATABASES = ("postgres", "template1", "defaultdb")


class LockHolder(NamedTuple):
    """A session in a transaction that holds a lock on one of our tables."""

    pid: int
    application_name: str | None
    usename: str | None
    state: str | None
    xact_start: datetime


def ensure_database(address: str) -> None:
    """Create the database of an address if the server does not have it. Raises DatabaseError."""
    url = url_of(address)
    try:
        with psycopg.connect(dsn_of(url), connect_timeout=10) as connection:
            require_encoding(connection)
            return
    except psycopg.OperationalError as error:
        server = _server_without(url, error)
    with server:
        _create_database(server, url)
    # A pooler may still refuse the new database for some seconds.
    psycopg.connect(dsn_of(url), connect_timeout=SECONDS_A_POOLER_REMEMBERS).close()


def _server_without(url: sa.URL, error: psycopg.OperationalError) -> psycopg.Connection[Any]:
    """Connect to another database of a server that does not have the database of the address.

    Raises DatabaseError when the server cannot be reached, or has that database and refuses the connection.
    """
    for name in MAINTENANCE_DATABASES:
        if name == url.database:
            continue
        try:
            server = psycopg.connect(dsn_of(url.set(database=name)), autocommit=True, connect_timeout=10)
        except psycopg.OperationalError:
            continue
        row = server.execute("select from pg_database where datname = %s", (url.database,)).fetchone()
        if row is None:
            return server
        server.close()
        break
    raise DatabaseError(_why_unreachable(url, error)) from None


def _create_database(server: psycopg.Connection[Any], url: sa.URL) -> None:
    name = psycopg.sql.Identifier(str(url.database))
    encoded = psycopg.sql.SQL(
        "create database {} encoding 'UTF8' lc_collate 'C' lc_ctype 'C' template template0"
    ).format(name)
    plain = psycopg.sql.SQL("create database {}").format(name)
    is_utf8 = server.execute(
        "select pg_encoding_to_char(encoding) = 'UTF8' from pg_database where datname = 'template1'"
    ).fetchone()
    try:
        server.execute(plain if is_utf8 == (True,) else encoded)
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return  # another process was quicker
    except psycopg.Error as error:
        raise DatabaseError(
            f'the server has no database "{url.database}" and this role may not create it ({_first_line(error)}); '
            f'have an administrator run: create database "{url.database}" owner "{url.username}"'
        ) from None


def migrate(database: Database) -> list[str]:
    """Apply missing migrations and changed files, one process at a time; return the names of the applied files.

    Raises DatabaseError when the server is too old, lacks pgvector or rights, or has a migration that this code does
    not have.
    """
    migrations = sorted((SQL / "migrations").glob("*.sql"))
    functions = function_files(SQL)
    comments = sorted((SQL / "comments").glob("*.sql"))
    applied = []
    try:
        require_usable(database.url)
        with _migrating_alone(database) as lock:
            _create_extension(lock)
            with database.transaction() as connection:
                driver_connection(connection).execute(HISTORY.encode())
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
            if applied:
                names = [_name(path) for path in [*migrations, *functions, *comments]]
                database.execute("forget_schema_files", names=names)
                database.execute("pin_search_paths")
            database.execute("grant_reader")
    except (sa.exc.OperationalError, psycopg.OperationalError) as error:
        raise DatabaseError(_why_unreachable(database.url, getattr(error, "orig", error))) from None
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
    """Hold the lock that lets one process migrate at a time, on a connection that is closed with it."""
    with database.engine.connect() as connection:
        try:
            connection.execute(sa.select(sa.func.pg_advisory_lock(MIGRATION_LOCK)))
            yield connection
        finally:
            connection.invalidate()


def function_files(sql: Path) -> list[Path]:
    """Return the files of functions and views of all rooms, in the order in which they are applied."""
    files = [path for path in sql.glob("*/*.sql") if path.parent.name not in {"migrations", "comments"}]
    return sorted((path for path in files if path.name != "queries.sql"), key=lambda path: path.name)


def require_current_schema(database: Database) -> None:
    """Raise DatabaseError when the database's schema or functions are not those of this checkout."""
    with database.transaction() as connection:
        if connection.scalar(sa.text("select to_regclass('movie_assets_schema')")) is None:
            raise DatabaseError(f"the database at {shown(database.url)} is empty; run `movie-assets migrate` first")
        known = {r.file: r.digest for r in connection.execute(sa.text("select * from movie_assets_schema"))}
    others = [path for folder in ("migrations", "comments") for path in (SQL / folder).glob("*.sql")]
    files = [*function_files(SQL), *others]
    other = sorted(_name(path) for path in files if known.get(_name(path)) != _digest(path))
    if other:
        raise DatabaseError(
            f"the database does not have this checkout's {', '.join(other)}; `movie-assets migrate` brings it up "
            "to date (restart what runs after an update)"
        )


def _apply(database: Database, path: Path) -> None:
    """Apply a file. Raises DatabaseError when other sessions hold a lock for longer than all attempts together.

    While a migration waits for a lock, later sessions wait behind it. So each attempt waits for a short time only.
    """
    for _ in range(LOCK_ATTEMPTS):
        try:
            return _try_to_apply(database, path)
        except psycopg.errors.LockNotAvailable:
            time.sleep(SECONDS_BETWEEN_LOCK_ATTEMPTS)
    holders = [
        f"process {row.pid} ({row.application_name or 'no name'}, role {row.usename}, {row.state}, "
        f"since {row.xact_start:%H:%M:%S} UTC)"
        for row in database.fetch(LockHolder, "lock_holders")
    ]
    raise DatabaseError(
        f"{_name(path)} needs a lock that another session holds: {'; '.join(holders) or 'none is left now'}. "
        "Files before it were applied, nothing of it was; end that session (select pg_terminate_backend(…)), and run "
        "`movie-assets migrate` again"
    )


def _try_to_apply(database: Database, path: Path) -> None:
    with database.transaction() as connection:
        # A function may call one of a later file; rewriting a large table has no time limit.
        connection.execute(
            sa.text(
                "set local check_function_bodies = off; set local statement_timeout = 0; "
                f"set local lock_timeout = '{LOCK_TIMEOUT_SECONDS:g}s'"
            )
        )
        # The driver runs it directly: a migration is a script of several statements without parameters.
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


def _create_extension(connection: sa.Connection) -> None:
    """Create pgvector if no schema of the database has it. Raises DatabaseError without the right to do so."""
    if connection.scalar(sa.text("select count(*) from pg_extension where extname = 'vector'")):
        connection.commit()
        return
    try:
        with connection.begin_nested():
            connection.execute(sa.text("create extension if not exists vector"))
    except sa.exc.ProgrammingError:
        raise DatabaseError(
            f'the role "{connection.engine.url.username}" may not create the extension; have an administrator '
            f'run in database "{connection.engine.url.database}": create extension vector'
        ) from None
    connection.commit()


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
