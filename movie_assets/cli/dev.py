"""`movie-assets dev`: Dagster's web UI and daemon on the catalogue, until Ctrl-C.

Dagster's own `dg dev` does the work. Around it: one `dev` at a time on a catalogue, runs without a process marked as
failed, what the start waits for, schedules and sensors on, and nothing left running however this process ends.
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
NAME = (
    "movie_assets dev at "  # the name of the connection that holds the lock tells the second `dev` where the first is
)


class _Stop(KeyboardInterrupt):  # as which psycopg cancels the statement that it waits for
    """A signal asks `dev` to end."""


def run_dev(settings: Settings, port: int, notes: Console) -> int:
    """Run Dagster until it ends or a signal comes; its exit code, 0 after a signal.

    Raises RefreshError when another `dev` is at work on the catalogue.
    """
    if not _is_free(port):
        notes.print(f"[red]Port {port} is in use; say another one: make dev PORT={port + 1}[/]")
        return 1
    url = f"http://{HOST}:{port}"
    try:
        with _signals_stop() as stop:
            notes.print("Starting Postgres and bringing the catalogue up to date …")
            with everything_for(settings) as ready, _only_dev(ready, url) as database:
                _fail_orphaned_runs(database)
                if settings.uses_emulator:
                    notes.print("TMDB_API_TOKEN is not set: the bundled emulator takes TMDB's place.")
                notes.print("Starting Dagster's web server, daemon and code server …")
                with _dagster(port) as child:
                    return _wait(child, url, notes, stop)
    except _Stop:
        notes.print("Stopped.")
        return 0


def environment_for(port: int) -> dict[str, str]:
    """What Dagster's processes are started with: this process' own, links to this web UI, schedules and sensors on."""
    return {"MOVIE_ASSETS_WEB_URL": f"http://{HOST}:{port}", **os.environ, "MOVIE_ASSETS_AUTOMATION": "1"}


@contextmanager
def _signals_stop() -> Iterator[threading.Event]:
    """Raise _Stop where the block is when Ctrl-C or SIGTERM comes; signals that follow are ignored.

    Yields an event that is set from then on: an exception that is raised in a destructor or a callback is lost.
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
        if stop.is_set():  # what broke off in the middle may end in an error of its own
            raise _Stop from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _only_dev(settings: Settings, url: str) -> Iterator[Database]:
    """Let one `dev` at a time work on a catalogue; the lock ends with the process, however it ends."""
    with open_database(settings) as database:
        named = sa.create_engine(database.url, connect_args={"application_name": NAME + url}, poolclass=sa.NullPool)
        with named.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(DEV_LOCK))):
                raise RefreshError(
                    f"the web UI of this catalogue is at {_other(database)} already; stop that one first"
                )
            yield database


def _other(database: Database) -> str:
    found = database.rows("dev_at", lock=DEV_LOCK)
    return found[0].application_name.removeprefix(NAME) if found else "another place"


def _fail_orphaned_runs(database: Database) -> None:
    """Free the places of runs that a power cut ended; the sensors launch their work again."""
    with dg.DagsterInstance.get() as instance:
        fail_orphaned_runs(instance, database, datetime.now(UTC))


@contextmanager
def _dagster(port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Dagster's processes, which end with the block."""
    command = [
        sys.executable, "-c", "from dagster_dg_cli.cli import main; main()", "dev", "--workspace", "workspace.yaml",
        "--host", HOST, "--port", str(port),
    ]  # fmt: skip
    # A session of its own: Dagster's web server and daemon are its children, and all must hear of the end.
    child = None
    try:
        with signals_deferred():
            child = subprocess.Popen(
                command, cwd=CHECKOUT, start_new_session=True, preexec_fn=_as_our_child,  # noqa: PLW1509
                env=environment_for(port),
            )  # fmt: skip
        yield child
    finally:
        if child is not None:
            _end(child)


def _wait(child: "subprocess.Popen[bytes]", url: str, notes: Console, stop: threading.Event) -> int:
    """Wait for the child to end, and return its exit code; print its address when it is ready.

    Raises _Stop when a signal came whose own exception was lost.
    """
    began, is_ready = time.monotonic(), False
    while (code := child.poll()) is None:
        if stop.is_set():
            raise _Stop
        if not is_ready and _answers(url):
            is_ready = True
            notes.print(f"Ready after {time.monotonic() - began:.0f} s: [bold]{url}[/]; Ctrl-C stops everything.")
        time.sleep(SECONDS_BETWEEN_POLLS)
    return code


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/server_info", timeout=5) as response:  # noqa: S310  # it is our own
            return bool(response.status == 200)  # noqa: PLR2004
    except OSError:
        return False


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Stop the child, which stops Dagster's services in their order, and then the runs that are left."""
    # By SIGINT, imports would end with tracebacks; a daemon whose code server ends first logs tracebacks, too.
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
    """Send a signal to all processes of the child's session; False when none is left."""
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return False
    return True


def _as_our_child() -> None:
    """Reset the signals of a child that is about to be Dagster's, and have the kernel end it with its parent."""
    default_signals()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DIED_SIGNAL, signal.SIGTERM)


def default_signals() -> None:
    """For a child that is about to become a process of Dagster's, whatever this process ignores."""
    # Dagster copies SIGINT's handler to SIGTERM; one that ignores it would make both deaf.
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
