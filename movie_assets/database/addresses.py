"""Addresses of Postgres servers in the forms of SQLAlchemy and of libpq, with one host or several.

No message repeats a part of an address that may contain the password.
"""

import re

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import make_conninfo

FORM = "the database address is not of the form postgresql://user:password@host:port/name"
UNENCODED = (
    "the password in the database address has characters that must be percent-encoded: write @ as %40, : as %3A, / as "
    "%2F, ? as %3F, # as %23 and % as %25"
)
# scheme :// user:password @ host:port,host:port rest
SEVERAL_HOSTS = re.compile(r"(?P<head>[\w+]+://(?:[^@]*@)?)(?P<hosts>[^/?@]*,[^/?@]*)(?P<rest>[/?].*)?", re.DOTALL)
HOST = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>\d+))?")


class DatabaseError(Exception):
    """The database cannot be used. The message says why and what to do, without the password."""


def url_of(address: str, driver: str = "psycopg") -> sa.URL:
    """Parse a Postgres address for a driver.

    Raises DatabaseError, whose message does not repeat a password.
    """
    userinfo, at, _ = address.partition("://")[2].partition("?")[0].rpartition("@")
    if at and "@" in userinfo:
        raise DatabaseError(UNENCODED)
    try:
        url = sa.make_url(_with_hosts_apart(address.strip()))
    except (sa.exc.ArgumentError, ValueError):
        url = None
    if url is None or url.get_backend_name() not in ("postgresql", "postgres"):
        raise DatabaseError(FORM)
    if "@" in f"{url.host or ''}{url.database or ''}":
        raise DatabaseError(UNENCODED)
    return url.set(drivername=f"postgresql+{driver}")


def dsn_of(url: sa.URL) -> str:
    """Return the address in libpq's form, with special characters quoted. Raises DatabaseError for unknown options."""
    parts = url.translate_connect_args(username="user", database="dbname")
    options = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    try:
        return make_conninfo(**parts, **options)
    except psycopg.ProgrammingError as error:
        reason = str(error).strip()
        raise DatabaseError(f"the database address has an option that Postgres does not know ({reason})") from None


def libpq_url_of(url: sa.URL) -> str:
    """Return the address with its password, in the form for psql and other programs of libpq."""
    has_several_hosts = isinstance(url.query.get("host"), tuple)
    query = {name: ",".join(value) for name, value in url.query.items()} if has_several_hosts else url.query
    return url.set(drivername="postgresql", query=query).render_as_string(hide_password=False)


def shown(url: sa.URL) -> str:
    """Return the address without its password, in whichever part of it that is."""
    return url.difference_update_query(["password", "sslpassword"]).render_as_string(hide_password=True)


def _with_hosts_apart(address: str) -> str:
    """Rewrite libpq's host1:5432,host2:5432 as options, SQLAlchemy's form of several hosts."""
    match = SEVERAL_HOSTS.fullmatch(address)
    if not match:
        return address
    pairs = [HOST.fullmatch(pair) for pair in match["hosts"].split(",")]
    if not all(pairs):
        raise ValueError("hosts")
    hosts = ",".join(pair["host"].strip("[]") for pair in pairs if pair)
    ports = ",".join(pair["port"] or "5432" for pair in pairs if pair)
    path, _, query = (match["rest"] or "/").partition("?")
    return f"{match['head']}{path}?host={hosts}&port={ports}{'&' if query else ''}{query}"
