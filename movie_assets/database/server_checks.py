"""Requirements on a Postgres server, checked before anything is created there. Each error says what to do.

The checks read the server's catalogue and never the text of its messages, which may be in any language.
"""

import secrets
from typing import NamedTuple

import psycopg
import sqlalchemy as sa
from psycopg.rows import class_row

from movie_assets.database.addresses import DatabaseError, dsn_of, shown
from movie_assets.database.sessions import start_session

MIN_POSTGRES = 140000  # pg_wait_for_backend, multirange and the planner features that the SQL was run on
MIN_PGVECTOR = (0, 8)  # iterative index scans, which filtered searches need
SOUND_PGVECTOR = (0, 8, 4)  # before it, building and vacuuming an HNSW index could damage it
MIN_CONNECTIONS = 12  # a refresh has nine open at its busiest; `movie-assets dev` some more
SERVER_PROPERTIES = """
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


class ServerProperties(NamedTuple):
    """The properties of a server, its database and the role that the requirements are about.

    `offered` and `installed` are versions of pgvector, `place` is its schema. A connection limit of -1 or None is none.
    """

    version: int
    is_standby: bool
    is_read_only: bool
    may_create_schemas: bool
    is_ours: bool
    offered: str | None
    installed: str | None
    place: str | None
    may_use: bool | None
    role_limit: int | None
    database_limit: int
    server_limit: int


def require_encoding(connection: psycopg.Connection) -> None:
    """Raise DatabaseError when the database's encoding lacks the letters of some languages."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        name = connection.info.dbname
        raise DatabaseError(
            f'the encoding of database "{name}" is {encoding}; movie_assets needs UTF8: create database … '
            "encoding 'UTF8' template template0"
        )


def require_usable(url: sa.URL) -> None:
    """Raise DatabaseError when the server or the role does not meet a requirement. Creates nothing.

    The database exists and can be reached (see `creation.ensure_database`).
    """
    with psycopg.connect(dsn_of(url), connect_timeout=10, autocommit=True) as connection:
        require_encoding(connection)
        start_session(connection)
        _require_session_pooling(url, connection)
        with connection.cursor(row_factory=class_row(ServerProperties)) as cursor:
            (properties,) = cursor.execute(SERVER_PROPERTIES.encode()).fetchall()
    _require_server(url, properties)
    _require_pgvector(url, properties)
    _require_connections(url, properties)


def pgvector_warning(installed: str) -> str | None:
    """Return a warning for an old but usable version of pgvector; None for a sound one."""
    if version_of(installed) >= SOUND_PGVECTOR:
        return None
    return (
        f"pgvector {installed} is installed; versions before {'.'.join(map(str, SOUND_PGVECTOR))} can damage an "
        "index while it is built or vacuumed: install a newer one on the server, then run alter extension vector "
        "update and reindex the indexes that end in _nearest"
    )


def version_of(text: str) -> tuple[int, ...]:
    """Return the numbers of a version such as 0.8.5."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _require_server(url: sa.URL, properties: ServerProperties) -> None:
    if properties.version < MIN_POSTGRES:
        version = properties.version // 10000
        raise DatabaseError(f"the server is PostgreSQL {version}; movie_assets needs {MIN_POSTGRES // 10000} or newer")
    if properties.is_standby:
        raise DatabaseError(
            f"the server at {shown(url)} is a standby, which takes no writes; name the primary (with several hosts: "
            "add target_session_attrs=read-write to the address)"
        )
    if properties.is_read_only:
        raise DatabaseError(
            f'sessions of the role "{url.username}" in database "{url.database}" take no writes '
            "(default_transaction_read_only is on, as some services set it while a disk is full); have an "
            "administrator switch it off: alter role … or alter database … set default_transaction_read_only = off"
        )
    if not properties.is_ours and not properties.may_create_schemas:
        raise DatabaseError(
            f'the role "{url.username}" may not create schemas in database "{url.database}"; have an administrator '
            f'run: grant create on database "{url.database}" to "{url.username}", or make the role the database\'s '
            "owner"
        )


def _require_pgvector(url: sa.URL, properties: ServerProperties) -> None:
    if properties.offered is None and properties.installed is None:
        raise DatabaseError(
            "the server has no pgvector; install it there (Debian: postgresql-NN-pgvector) and start again"
        )
    version = properties.installed or properties.offered or ""
    if version_of(version)[:2] < MIN_PGVECTOR:
        raise DatabaseError(
            f"pgvector {version} is {'installed' if properties.installed else 'what the server offers'}; movie_assets "
            f"needs {'.'.join(map(str, MIN_PGVECTOR))} or newer: have an administrator install it and run alter "
            "extension vector update"
        )
    if properties.installed and not properties.may_use:
        raise DatabaseError(
            f'pgvector is in the schema {properties.place}, which the role "{url.username}" may not use; have an '
            f'administrator run: grant usage on schema {properties.place} to "{url.username}"'
        )


def _require_connections(url: sa.URL, properties: ServerProperties) -> None:
    limits = {
        f'alter role "{url.username}" connection limit {2 * MIN_CONNECTIONS}': properties.role_limit,
        f'alter database "{url.database}" connection limit {2 * MIN_CONNECTIONS}': properties.database_limit,
        f"max_connections = {4 * MIN_CONNECTIONS} in postgresql.conf": properties.server_limit,
    }
    for action, limit in limits.items():
        if limit is not None and 0 <= limit < MIN_CONNECTIONS:
            raise DatabaseError(
                f"only {limit} connections are allowed here and a day's work needs up to {MIN_CONNECTIONS}; have an "
                f"administrator set: {action}"
            )


def _require_session_pooling(url: sa.URL, connection: psycopg.Connection) -> None:
    """Raise DatabaseError behind a pooler that gives each transaction another server session.

    Behind such a pooler, either two connections can take the same lock, as they share a session, or the first one no
    longer holds it in its next statement.
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
