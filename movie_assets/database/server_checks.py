"""What a Postgres server must offer before anything is created there; each lack is one sentence with its remedy.

The questions are asked of the server's catalogue, never read from the text of its messages, which may be in any
language.
"""

import secrets
from typing import Any

import psycopg
import sqlalchemy as sa

from movie_assets.database.addresses import DatabaseError, dsn_of, shown
from movie_assets.database.sessions import start_session

MIN_POSTGRES = 140000  # pg_wait_for_backend, multirange and the planner features that the SQL was run on
MIN_PGVECTOR = (0, 8)  # iterative index scans, which filtered searches need
SOUND_PGVECTOR = (0, 8, 4)  # before it, building and vacuuming an HNSW index could damage it
MIN_CONNECTIONS = 12  # a refresh has nine open at its busiest; `movie-assets dev` some more
RELATED_ROWS = """
select current_setting('server_version_num')::integer as version, pg_is_in_recovery() as is_standby,
    current_setting('default_transaction_read_only')::boolean as is_read_only,
    has_database_privilege(current_database(), 'CREATE') as may_create_schemas,
    to_regclass('public.movie_assets_schema') is not null or to_regclass('movie_assets.movie_assets_schema') is not null
        as is_ours,
    (select default_version from pg_available_extensions where name = 'vector') as offered,
    (select extversion from pg_extension where extname = 'vector') as installed,
    (select extnamespace::regnamespace::text from pg_extension where extname = 'vector') as place,
    (select has_schema_privilege(e.extnamespace, 'USAGE') from pg_extension e where e.extname = 'vector') as may_use,
    (select rolconnlimit from pg_roles where rolname = current_user and not rolsuper) as role_limit,
    (select datconnlimit from pg_database where datname = current_database()) as database_limit,
    current_setting('max_connections')::integer as server_limit
"""


def require_encoding(connection: psycopg.Connection[Any]) -> None:
    """Raise DatabaseError when the database cannot hold the letters of every language."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        name = connection.info.dbname
        raise DatabaseError(
            f'the encoding of database "{name}" is {encoding}; movie_assets needs UTF8: create database … '
            "encoding 'UTF8' template template0"
        )


def require_usable(url: sa.URL) -> None:
    """Raise DatabaseError when the server or the role cannot carry a catalogue. Creates nothing.

    The database exists and can be reached (see `migrations.ensure_database`).
    """
    with psycopg.connect(dsn_of(url), connect_timeout=10, autocommit=True) as connection:
        require_encoding(connection)
        start_session(connection)
        _require_session_pooling(url, connection)
        cursor = connection.execute(RELATED_ROWS.encode())
        names = [column.name for column in cursor.description or ()]
        values = cursor.fetchone()
        facts = dict(zip(names, values or (), strict=True))
    _require_server(url, facts)
    _require_pgvector(url, facts)
    _require_connections(url, facts)


def pgvector_warning(installed: str) -> str | None:
    """Return what is wrong with an old but usable version of pgvector; None for a sound one."""
    if version_of(installed) >= SOUND_PGVECTOR:
        return None
    return (
        f"pgvector {installed} is installed; versions before {'.'.join(map(str, SOUND_PGVECTOR))} can damage an "
        "index while it is built or vacuumed: install a newer one on the server, then run alter extension vector "
        "update and reindex the indexes that end in _nearest"
    )


def version_of(text: str) -> tuple[int, ...]:
    """Return a version such as 0.8.5 as numbers."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _require_server(url: sa.URL, facts: dict[str, Any]) -> None:
    if facts["version"] < MIN_POSTGRES:
        raise DatabaseError(
            f"the server is PostgreSQL {facts['version'] // 10000}; movie_assets needs {MIN_POSTGRES // 10000} or newer"
        )
    if facts["is_standby"]:
        raise DatabaseError(
            f"the server at {shown(url)} is a standby, which takes no writes; name the primary (with several hosts: "
            "add target_session_attrs=read-write to the address)"
        )
    if facts["is_read_only"]:
        raise DatabaseError(
            f'sessions of the role "{url.username}" in database "{url.database}" take no writes '
            "(default_transaction_read_only is on, as some services set it while a disk is full); have an "
            "administrator switch it off: alter role … or alter database … set default_transaction_read_only = off"
        )
    if not facts["is_ours"] and not facts["may_create_schemas"]:
        raise DatabaseError(
            f'the role "{url.username}" may not create schemas in database "{url.database}"; have an administrator '
            f'run: grant create on database "{url.database}" to "{url.username}", or make the role the database\'s '
            "owner"
        )


def _require_pgvector(url: sa.URL, facts: dict[str, Any]) -> None:
    if facts["offered"] is None and facts["installed"] is None:
        raise DatabaseError(
            "the server has no pgvector; install it there (Debian: postgresql-NN-pgvector) and start again"
        )
    version = facts["installed"] or facts["offered"]
    if version_of(version)[:2] < MIN_PGVECTOR:
        raise DatabaseError(
            f"pgvector {version} is {'installed' if facts['installed'] else 'what the server offers'}; movie_assets "
            f"needs {'.'.join(map(str, MIN_PGVECTOR))} or newer: have an administrator install it and run alter "
            "extension vector update"
        )
    if facts["installed"] and not facts["may_use"]:
        raise DatabaseError(
            f'pgvector is in the schema {facts["place"]}, which the role "{url.username}" may not use; have an '
            f'administrator run: grant usage on schema {facts["place"]} to "{url.username}"'
        )


def _require_connections(url: sa.URL, facts: dict[str, Any]) -> None:
    limits = {
        f'alter role "{url.username}" connection limit {2 * MIN_CONNECTIONS}': facts["role_limit"],
        f'alter database "{url.database}" connection limit {2 * MIN_CONNECTIONS}': facts["database_limit"],
        f"max_connections = {4 * MIN_CONNECTIONS} in postgresql.conf": facts["server_limit"],
    }
    for action, limit in limits.items():
        if limit is not None and 0 <= limit < MIN_CONNECTIONS:
            raise DatabaseError(
                f"only {limit} connections are allowed here and a day's work needs up to {MIN_CONNECTIONS}; have an "
                f"administrator set: {action}"
            )


def _require_session_pooling(url: sa.URL, connection: psycopg.Connection[Any]) -> None:
    """Raise DatabaseError behind a pooler that hands each transaction to another server session.

    A lock that one of two connections holds is either taken by both there, as they share a session, or is no longer
    held by the first one in its next statement.
    """
    number = secrets.randbits(62)
    take, held = b"select pg_try_advisory_lock(%s)", (
        b"select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted"
    )  # fmt: skip
    with psycopg.connect(dsn_of(url), connect_timeout=10, autocommit=True) as other:
        first = connection.execute(take, (number,)).fetchone()
        second = other.execute(take, (number,)).fetchone()
        kept = connection.execute(held).fetchone()
        connection.execute(b"select pg_advisory_unlock_all()")
    if first != (True,) or second != (False,) or kept == (0,):
        raise DatabaseError(
            f"a connection pooler in transaction mode stands at {shown(url)}; movie_assets needs locks and settings "
            "that last as long as a connection: name the server's direct address, or a pooler in session mode"
        )
