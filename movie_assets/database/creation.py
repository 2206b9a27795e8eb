"""Creating a database that an address names and its server lacks, and saying why a server cannot be reached."""

import psycopg
import sqlalchemy as sa

from movie_assets.database.addresses import DatabaseError, dsn_of, shown, url_of
from movie_assets.database.server_checks import require_encoding

SECONDS_A_POOLER_REMEMBERS = 40  # PgBouncer's server_login_retry is 15
MAINTENANCE_DATABASES = ("postgres", "template1", "defaultdb")


def ensure_database(address: str) -> None:
    """Create the database of an address if the server does not have it. Raises DatabaseError."""
    url = url_of(address)
    try:
        with psycopg.connect(dsn_of(url), connect_timeout=10) as connection:
            require_encoding(connection)
            return
    except psycopg.OperationalError as error:
        server = _server_without(url, error)
    if server is None:  # another process has created it meanwhile
        ensure_database(address)
        return
    with server:
        _create_database(server, url)
    # A pooler may still refuse the new database for some seconds.
    psycopg.connect(dsn_of(url), connect_timeout=SECONDS_A_POOLER_REMEMBERS).close()


def _server_without(url: sa.URL, error: psycopg.OperationalError) -> psycopg.Connection | None:
    """Connect to another database of a server that does not have the database of the address.

    Returns None when the database accepts connections by now. Raises DatabaseError when the server cannot be reached,
    or has that database and refuses the connection.
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
        try:
            psycopg.connect(dsn_of(url), connect_timeout=10).close()
        except psycopg.OperationalError as again:
            error = again
            break
        return None
    raise DatabaseError(why_unreachable(url, error)) from None


def _create_database(server: psycopg.Connection, url: sa.URL) -> None:
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
            f'the server has no database "{url.database}" and this role may not create it ({first_line(error)}); '
            f'have an administrator run: create database "{url.database}" owner "{url.username}"'
        ) from None


def why_unreachable(url: sa.URL, error: BaseException | None) -> str:
    """Return the sentence about a server that cannot be reached; it has no password."""
    return f"the database at {shown(url)} cannot be reached ({first_line(error)}); is the server up, the address right?"


def first_line(error: BaseException | None) -> str:
    """Return the first line of an error's message, or the name of its class."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0]
