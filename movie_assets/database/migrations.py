"""Migrating a database to the schema of this code, and refusing a database that cannot be used.

Migrations (sql/migrations, in order) run once, each in a transaction of its own. Functions and views
(sql/<room>/<topic>.sql) are applied again whenever their text changes, all in one transaction with their settings and
rights: an application that calls them meanwhile gets those of one release. Comments (sql/comments) are applied again
whenever anything changes, because a view that is dropped and created again loses its comments.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy as sa

from movie_assets.config.paths import SQL
from movie_assets.database.addresses import DatabaseError, shown
from movie_assets.database.creation import first_line, why_unreachable
from movie_assets.database.database import MIGRATION_LOCK, Database, driver_connection
from movie_assets.database.queries import query_text
from movie_assets.database.server_checks import require_usable
from movie_assets.database.short_locks import change_with_short_locks

log = logging.getLogger(__name__)
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
# Functions set settings of pgvector for themselves. A session knows these once it has used a vector; until then only a
# superuser may name them.
LOAD_PGVECTOR = """
do $$
begin
    execute format('select %L::%I.vector', '[1]', (
        select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'vector'));
end
$$
"""
APPLIED = """
insert into movie_assets_schema (file, digest) values (%(file)s, %(digest)s)
on conflict (file) do update set digest = excluded.digest, applied_at = now()
"""


def migrate(database: Database) -> list[str]:
    """Apply missing migrations and changed files, one process at a time; return the names of the applied files.

    Raises DatabaseError when the server is too old, lacks pgvector or rights, or has a migration that this code does
    not have.
    """
    migrations = sorted((SQL / "migrations").glob("*.sql"))
    functions = function_files(SQL)
    comments = sorted((SQL / "comments").glob("*.sql"))
    applied: list[str] = []
    with _errors_as_sentences(database), _migrating_alone(database) as lock:
        _create_extension(lock)
        with database.transaction() as connection:
            driver_connection(connection).execute(HISTORY.encode())
            known = _known(connection)
        _refuse_other_history(known, migrations)
        for path in _changed(migrations, known):
            _apply(database, _name(path), [path])
            applied.append(_name(path))
        if changed := _changed(functions, known):
            _apply(database, "one of the functions and views", changed, "pin_search_paths", "grant_reader")
            applied += map(_name, changed)
        for path in comments if applied else _changed(comments, known):
            _apply(database, _name(path), [path])
        applied += map(_name, _changed(comments, known))
        if applied:
            names = [_name(path) for path in [*migrations, *functions, *comments]]
            database.execute("forget_schema_files", names=names)
        _apply(database, "the rights of deploy/roles.sql", [], "grant_reader")
    if applied:
        database.close()  # connections opened before the extension existed do not know its types
    return applied


def migrate_for_reading(database: Database) -> None:
    """Migrate a database for work that only reads, unless a newer movie_assets migrated it already.

    Functions and columns of a release stay for one release more (docs/contributing.md), so the code before it goes on
    reading, without waiting for a migration at work. A warning says so. Raises what `migrate` raises.
    """
    with _errors_as_sentences(database), database.transaction() as connection:
        newer = _newer(_known(connection), sorted((SQL / "migrations").glob("*.sql")))
    if newer:
        log.warning("the database was migrated by a newer movie_assets (%s); reading from it all the same", newer)
    else:
        migrate(database)


@contextmanager
def _errors_as_sentences(database: Database) -> Iterator[None]:
    """Raise DatabaseError for a server that cannot be reached, and for a right that the role lacks."""
    try:
        yield
    except (sa.exc.OperationalError, psycopg.OperationalError) as error:
        raise DatabaseError(why_unreachable(database.url, getattr(error, "orig", error))) from None
    except (sa.exc.ProgrammingError, psycopg.errors.InsufficientPrivilege) as error:
        raise DatabaseError(
            f'the role "{database.url.username}" lacks a right on database "{database.url.database}" '
            f"({first_line(error)}); have an administrator grant it, or make the role the database's owner"
        ) from None


@contextmanager
def _migrating_alone(database: Database) -> Iterator[sa.Connection]:
    """Refuse a server that cannot be used; hold the lock of migrations on a connection that is closed with it."""
    require_usable(database.url)
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
        known = _known(connection)
    if not known:
        raise DatabaseError(f"the database at {shown(database.url)} is empty; run `movie-assets migrate` first")
    others = [path for folder in ("migrations", "comments") for path in (SQL / folder).glob("*.sql")]
    files = [*function_files(SQL), *others]
    other = sorted(_name(path) for path in files if known.get(_name(path)) != _digest(path))
    if other:
        raise DatabaseError(
            f"the database does not have this checkout's {', '.join(other)}; `movie-assets migrate` brings it up "
            "to date (restart what runs after an update)"
        )


def _known(connection: sa.Connection) -> dict[str, str]:
    """Return the digest of each file that was applied; none where no migration ever ran."""
    if connection.scalar(sa.text("select to_regclass('movie_assets_schema')")) is None:
        return {}
    return {row.file: row.digest for row in connection.execute(sa.text("select file, digest from movie_assets_schema"))}


def _changed(files: Sequence[Path], known: dict[str, str]) -> list[Path]:
    """Return the files that the database does not have, or has with another text."""
    return [path for path in files if known.get(_name(path)) != _digest(path)]


def _apply(database: Database, name: str, files: Sequence[Path], *queries: str) -> None:
    """Apply files and run queries without parameters, all in one transaction or nothing.

    Raises DatabaseError when other sessions hold a lock for longer than a migration waits in all; `name` says whose.
    """

    def change(connection: psycopg.Connection) -> None:
        connection.execute(LOAD_PGVECTOR.encode())
        for path in files:
            try:
                connection.execute(path.read_bytes())  # a script of many statements, without parameters
            except OTHER_SHAPE as error:
                raise DatabaseError(
                    f"{_name(path)} cannot replace what another version of movie_assets left ({first_line(error)}); "
                    "take that version again, or restore the backup from before it"
                ) from None
            connection.execute(APPLIED, {"file": _name(path), "digest": _digest(path)})
        for query in queries:
            connection.execute(query_text(query).encode())

    change_with_short_locks(database, name, change)


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
    if newer := _newer(known, migrations):
        raise DatabaseError(f"the database was migrated by a newer movie_assets ({newer}); update this checkout")
    ours = {_name(path): _digest(path) for path in migrations}
    edited = sorted(name for name, digest in ours.items() if known.get(name, digest) != digest)
    if edited:
        raise DatabaseError(f"{', '.join(edited)} was applied with another text; a change needs a new migration")


def _newer(known: dict[str, str], migrations: list[Path]) -> str:
    """Return the names of migrations that the database has and this code does not, empty when there are none."""
    ours = {_name(path) for path in migrations}
    return ", ".join(sorted(name for name in known if name.startswith("migrations/") and name not in ours))


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
