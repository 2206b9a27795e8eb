"""`movie-assets dev`: Dagster's web UI and daemon on the catalogue, until Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from types import FrameType

import dagster as dg
from rich.console import Console

from movie_assets.automation.reaper import bury_at_start
from movie_assets.resources.postgres import open_database
from movie_assets.settings import Settings
from movie_assets.startup import CHECKOUT, everything_for

HOST = "127.0.0.1"
SECONDS_TO_STOP = 30


def run_dev(settings: Settings, port: int, notes: Console) -> int:
    """Run Dagster until it ends or a signal comes; its exit code, 0 after a signal."""
    if not _is_free(port):
        notes.print(f"[red]Port {port} is in use; say another one: movie-assets dev --port {port + 1}[/]")
        return 1
    with everything_for(settings) as ready:
        _bury_the_dead(ready)
        if settings.uses_stand_in:
            notes.print("TMDB_API_TOKEN is not set: the bundled stand-in takes TMDB's place.")
        notes.print(f"The web UI will be at [bold]http://{HOST}:{port}[/] in a few seconds; Ctrl-C stops everything.")
        command = [
            sys.executable,
            "-m",
            "dagster",
            "dev",
            "-w",
            "workspace.yaml",
            "-h",
            HOST,
            "-p",
            str(port),
        ]
        # A session of its own: Dagster's web server and daemon are its children, and all must hear of the end.
        child = subprocess.Popen(
            command, cwd=CHECKOUT, start_new_session=True, preexec_fn=default_signals,  # noqa: PLW1509
            env=environment_for(port),
        )  # fmt: skip
        return _wait(child, notes)


def environment_for(port: int) -> dict[str, str]:
    """What Dagster's processes are started with: this process' own, links to this web UI, schedules and sensors on."""
    return {"MOVIE_ASSETS_WEB_URL": f"http://{HOST}:{port}", **os.environ, "MOVIE_ASSETS_AUTOMATION": "1"}


def _bury_the_dead(settings: Settings) -> None:
    """Free the places of runs that a power cut ended; the sensors launch their work again."""
    database = open_database(settings)
    try:
        with dg.DagsterInstance.get() as instance:
            bury_at_start(instance, database, datetime.now(UTC))
    finally:
        database.close()


def _wait(child: subprocess.Popen[bytes], notes: Console) -> int:
    """Wait for the child; Ctrl-C or SIGTERM asks it to stop, and makes it after a while."""
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the signature of a handler
        asked.append(number)
        os.killpg(child.pid, signal.SIGINT)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while child.poll() is None and not asked:
            try:
                child.wait(1)
            except subprocess.TimeoutExpired:
                continue
        if asked:
            notes.print("Stopping …")
            try:
                child.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
        return 0 if asked else child.returncode
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
