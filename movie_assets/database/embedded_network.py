"""The embedded server's TCP port, for programs that cannot use its socket: on 127.0.0.1 only, with a password.

All users of the machine can reach the port, so it needs a password. That is made once and stored in the data folder,
readable by its owner only. The socket needs no password, as no other user may enter its folder, and keeps its name.
"""

import os
import secrets
import socket
from pathlib import Path

import psycopg
import sqlalchemy as sa

HOST = "127.0.0.1"
PASSWORD = "postgres.password"  # noqa: S105  # the name of its file
RULES = "movie_assets_hba.conf"
USUAL_PORT = 5432
OTHER_PORT = (
    "the embedded server is up already, with {}; end the commands that use it and run `movie-assets database stop`, "
    "then start it again"
)
LINE_OF_PORT, LINE_OF_ADDRESS = 3, 5  # of postmaster.pid, counted from 0


def network_options(data: Path, port: int) -> dict[str, str]:
    """Write the rules for connections to the data folder, and return the server's settings for the port."""
    (data / RULES).write_text(f"local all all trust\nhost all all {HOST}/32 scram-sha-256\n", encoding="utf-8")
    return {"listen_addresses": HOST, "port": str(port), "hba_file": RULES}


def why_not_free(port: int) -> str | None:
    """Return why the server cannot listen on a port; None if it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Postgres does: ended connections linger
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError as error:
            return f"port {port} of {HOST} cannot be used ({error.strerror}); choose another with --port"
    return None


def link_socket(sockets: Path, port: int) -> None:
    """Link the socket's usual name to it, which a server on another port does not use."""
    usual = sockets / f".s.PGSQL.{USUAL_PORT}"
    if port != USUAL_PORT:
        usual.unlink(missing_ok=True)
        usual.symlink_to(f".s.PGSQL.{port}")


def allow_password(home: Path, address: str) -> None:
    """Let the role postgres connect with the password; only a hash of it reaches the server and its log."""
    word = _password(home)
    with psycopg.connect(address.replace("/?", "/postgres?"), autocommit=True) as connection:
        hashed = connection.pgconn.encrypt_password(word.encode(), b"postgres", b"scram-sha-256").decode()
        connection.execute(psycopg.sql.SQL("alter role postgres password {}").format(hashed))


def open_port(home: Path) -> int | None:
    """Return the TCP port of the server that runs under `home`; None if it has none."""
    try:
        lines = (home / "postgres" / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) <= LINE_OF_ADDRESS or not lines[LINE_OF_ADDRESS].strip():
        return None
    return int(lines[LINE_OF_PORT])


def network_url(home: Path, url: sa.URL) -> sa.URL:
    """Return the address of the embedded server's database over TCP, with the password; `url` itself without a port."""
    port = open_port(home)
    if port is None:
        return url
    return sa.URL.create(url.drivername, url.username, _password(home), HOST, port, url.database)


def _password(home: Path) -> str:
    """Return the password of the data folder; it is made at the first call."""
    file = home / PASSWORD
    if not file.exists():
        fresh = file.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(secrets.token_urlsafe(24))
        fresh.rename(file)
    return file.read_text(encoding="utf-8")
