"""`movie-assets dev`: Dagster's web UI and daemon on the catalogue, until Ctrl-C.

It runs Dagster's own `dg dev`. Besides, it allows one `dev` on a catalogue, marks orphaned runs as failed, switches
schedules and sensors on, and leaves no process however this one ends.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import FrameType
from typing import NamedTuple
from urllib.request import urlopen

import dagster as dg
import sqlalchemy as sa
from rich.console import Console

from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, open_database
from movie_assets.database.interrupts import signals_deferred
from movie_assets.orchestration.orphaned_runs import fail_orphaned_runs
from movie_assets.orchestration.startup import everything_for
from movie_assets.refresh.outcome import RefreshError

HOST = "127.0.0.1"
SECONDS_TO_STOP = 30
SECONDS_BETWEEN_POLLS = 0.5
DEV_LOCK = 0x6D61_6465
PARENT_DIED_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl
NAME = "movie_assets dev at "  # begins the name of the connection that holds the lock; the URL of the web UI follows


class LockHolder(NamedTuple):
    """The connection of the `dev` that holds the lock of a catalogue."""

    application_name: str


class _Stop(KeyboardInterrupt):  # psycopg cancels a statement that it waits for when it sees a KeyboardInterrupt
    """A signal asked `dev` to end."""


def run_dev(settings: Settings, port: int, notes: Console) -> int:
    """Run Dagster until it ends or a signal comes; return its exit code, or 0 after a signal.

    Raises RefreshError when another `dev` runs on the catalogue.
    """
    if not _is_free(port):
        notes.print(f"[red]Port {port} is in use; choose another one: make dev PORT={port + 1}[/]")
        return 1
    url = f"http://{HOST}:{port}"
    try:
        with _signals_stop() as stop:
            notes.print("Starting Postgres and bringing the catalogue up to date …")
            with everything_for(settings) as ready, _only_dev(ready, url) as database:
                _fail_orphaned_runs(database)
                if settings.uses_emulator:
                    notes.print("TMDB_API_TOKEN is not set: using the bundled TMDB emulator.")
                notes.print("Starting Dagster's web server, daemon and code server …")
                with _dagster(port) as child:
                    return _wait(child, url, notes, stop)
    except _Stop:
        notes.print("Stopped.")
        return 0


def environment_for(port: int) -> dict[str, str]:
    """Return the environment of Dagster's processes: this one's, the web UI's URL, and schedules and sensors on."""
    return {"MOVIE_ASSETS_WEB_URL": f"http://{HOST}:{port}", **os.environ, "MOVIE_ASSETS_AUTOMATION": "1"}


@contextmanager
def _signals_stop() -> Iterator[threading.Event]:
    """Raise _Stop inside the block when Ctrl-C or SIGTERM comes; later signals are ignored.

    Yields an event that the signal sets, because an exception that is raised in a destructor or a callback is lost.
    """
    stop = threading.Event()

    def raise_stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the signature of a handler
        stop.set()
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise _Stop

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, raise_stop)
    try:
        yield stop
    except Exception as error:
        if stop.is_set():  # interrupted code may raise an error of its own
            raise _Stop from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _only_dev(settings: Settings, url: str) -> Iterator[Database]:
    """Hold the lock that allows one `dev` on a catalogue; it is released when the process ends, however it ends."""
    with open_database(settings) as database:
        named = sa.create_engine(database.url, connect_args={"application_name": NAME + url}, poolclass=sa.NullPool)
        with named.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(DEV_LOCK))):
                raise RefreshError(
                    f"the web UI of this catalogue is at {_other(database)} already; stop that one first"
                )
            yield database


def _other(database: Database) -> str:
    holder = database.fetch_optional(LockHolder, "lock_holder", lock=DEV_LOCK)
    return holder.application_name.removeprefix(NAME) if holder else "another place"


def _fail_orphaned_runs(database: Database) -> None:
    """Mark runs without a process as failed, which frees their slots; the sensors launch their work again."""
    with dg.DagsterInstance.get() as instance:
        fail_orphaned_runs(instance, database, datetime.now(UTC))


@contextmanager
def _dagster(port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Start Dagster, and stop all its processes at the end of the block."""
    command = [
        sys.executable, "-c", "from dagster_dg_cli.cli import main; main()", "dev", "--workspace", "workspace.yaml",
        "--host", HOST, "--port", str(port),
    ]  # fmt: skip
    # It gets a session of its own, so that its children, Dagster's web server and daemon, receive the signals too.
    child, is_ending = None, threading.Event()
    try:
        with signals_deferred():
            child = subprocess.Popen(
                command, cwd=CHECKOUT, start_new_session=True, preexec_fn=_as_our_child,  # noqa: PLW1509
                env=environment_for(port), stderr=subprocess.PIPE,
            )  # fmt: skip
            threading.Thread(target=_copy_errors, args=(child, is_ending), daemon=True).start()
        yield child
    finally:
        is_ending.set()
        if child is not None:
            _end(child)


def _copy_errors(child: "subprocess.Popen[bytes]", is_ending: threading.Event) -> None:
    """Copy the child's standard error to this process's until the child is asked to end.

    Dagster raises an exception for the signal that ends it. In a destructor or a callback, Python prints that as a
    traceback and ignores it.
    """
    assert child.stderr is not None  # noqa: S101  # it is a pipe
    while output := os.read(child.stderr.fileno(), 65536):
        if not is_ending.is_set():
            sys.stderr.buffer.write(output)
            sys.stderr.flush()


def _wait(child: "subprocess.Popen[bytes]", url: str, notes: Console, stop: threading.Event) -> int:
    """Wait for the child to end, and return its exit code; print the URL of the web UI when it is ready.

    Raises _Stop after a signal whose exception was lost.
    """
    began, is_ready = time.monotonic(), False
    while (code := child.poll()) is None:
        if stop.is_set():
            raise _Stop
        if not is_ready and _responds(url):
            is_ready = True
            notes.print(f"Ready after {time.monotonic() - began:.0f} s: [bold]{url}[/]; Ctrl-C stops everything.")
        time.sleep(SECONDS_BETWEEN_POLLS)
    return code


def _responds(url: str) -> bool:
    try:
        with urlopen(f"{url}/server_info", timeout=5) as response:  # noqa: S310  # the URL is our own
            return bool(response.status == 200)  # noqa: PLR2004
    except OSError:
        return False


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Stop the child, which stops Dagster's services in order, and then the runs that are left."""
    # SIGINT would interrupt imports with tracebacks, and so does a daemon whose code server ends before it.
    child.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.wait(SECONDS_TO_STOP)
    _signal_group(child, signal.SIGTERM)
    deadline = time.monotonic() + SECONDS_TO_STOP
    while _signal_group(child, 0) and time.monotonic() < deadline:
        child.poll()
        time.sleep(SECONDS_BETWEEN_POLLS / 10)
    _signal_group(child, signal.SIGKILL)
    child.wait()


def _signal_group(child: "subprocess.Popen[bytes]", number: int) -> bool:
    """Send a signal to all processes of the child's session; return False when none is left."""
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return False
    return True


def _as_our_child() -> None:
    """Reset the signal handlers in a child that will run Dagster, and let the kernel end it when its parent ends."""
    default_signals()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DIED_SIGNAL, signal.SIGTERM)


def default_signals() -> None:
    """Reset SIGINT and SIGTERM in a child that will run Dagster, whatever this process ignores."""
    # Dagster copies the handler of SIGINT to SIGTERM; if SIGINT were ignored, both would be.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
