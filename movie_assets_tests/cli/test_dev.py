"""`movie-assets dev`: the environment of Dagster's processes, one `dev` at a time, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from movie_assets.cli.dev import _signals_stop, _wait, environment_for
from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets_tests.deployment import free_ports, wait_until

PRINT_STATUSES = """
from movie_assets.definitions import location
repository = location().get_repository_def()
print({each.default_status.name for each in (*repository.schedule_defs, *repository.sensor_defs)})
"""


def test_schedules_and_sensors_are_on_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIE_ASSETS_AUTOMATION", "0")
    printed = subprocess.run(
        [sys.executable, "-c", PRINT_STATUSES], cwd=CHECKOUT, env=environment_for(3000), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert printed.stdout == "{'RUNNING'}\n"


def test_links_in_alerts_lead_to_this_web_ui_unless_a_setting_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOVIE_ASSETS_WEB_URL", raising=False)
    assert environment_for(3005)["MOVIE_ASSETS_WEB_URL"] == "http://127.0.0.1:3005"
    monkeypatch.setenv("MOVIE_ASSETS_WEB_URL", "https://dagster.example.org")
    assert environment_for(3005)["MOVIE_ASSETS_WEB_URL"] == "https://dagster.example.org"


def test_a_signal_whose_exception_was_lost_ends_dev_all_the_same() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        try:
            with pytest.raises(KeyboardInterrupt), _signals_stop() as stop:  # noqa: PT012
                with suppress(KeyboardInterrupt):  # as Python does in a destructor
                    signal.raise_signal(signal.SIGINT)
                _wait(child, "http://127.0.0.1:9", Console(), stop)
        finally:
            child.kill()


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ma") as folder:  # short: a socket's path may have 107 bytes
        os.chmod(folder, 0o755)  # noqa: S103, PTH101  # the embedded server's user needs access to it
        yield Path(folder)


@dataclass
class Dev:
    """`movie-assets dev` in a process of its own."""

    process: "subprocess.Popen[bytes]"
    output: Path
    port: int

    def wait_for(self, sentence: str) -> None:
        wait_until(lambda: sentence in self.printed() or self.process.poll() is not None, 150, sentence)
        assert sentence in self.printed(), self.printed()

    def printed(self) -> str:
        return self.output.read_text()


@contextmanager
def dev_on(home: Path, **variables: str) -> Iterator[Dev]:
    ours = {str(field.alias) for field in Settings.model_fields.values()} | {"DAGSTER_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in ours} | {
        "MOVIE_ASSETS_HOME": str(home),
        **variables,
    }
    port, output = free_ports(), home / f"output_{time.monotonic_ns()}"
    command = [sys.executable, "-c", "from movie_assets.cli.command import main; main()", "dev", "--port", str(port)]
    with output.open("w") as to:
        process = subprocess.Popen(
            command,
            env=environment | {"MOVIE_ASSETS_HOME": str(home)} | variables,
            stdout=to,
            stderr=to,
            start_new_session=True,
        )
    try:
        yield Dev(process, output, port)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def processes_of(home: Path) -> dict[int, str]:
    """Return the commands of the processes that use a data folder, and of its server, by process id."""
    commands = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = process.joinpath("cmdline").read_bytes()
            environment = process.joinpath("environ").read_bytes()
            if f"MOVIE_ASSETS_HOME={home}\0".encode() in environment or str(home).encode() in command:
                commands[int(process.name)] = command.replace(b"\0", b" ").decode()
    return commands


@pytest.mark.parametrize(
    ("sentence", "seconds"),
    [
        ("Starting Postgres", 0), ("Starting Postgres", 0.5), ("Starting Postgres", 1.5), ("Starting Dagster", 0),
        ("Starting Dagster", 1), ("Starting Dagster", 4), ("Starting Dagster", 10), ("Ready after", 0),
    ],
)  # fmt: skip
def test_ctrl_c_at_any_time_ends_dev_without_a_traceback_and_leaves_nothing_behind(
    home: Path, sentence: str, seconds: float
) -> None:
    with dev_on(home) as dev:
        dev.wait_for(sentence)
        time.sleep(seconds)
        os.killpg(dev.process.pid, signal.SIGINT)
        assert dev.process.wait(60) == 0, dev.printed()
    assert "Traceback" not in dev.printed()
    assert "SupersessionWarning" not in dev.printed()
    wait_until(lambda: not processes_of(home), 15, f"nothing is left: {processes_of(home)}")


def test_a_second_dev_is_told_where_the_first_is_and_a_killed_one_leaves_neither_lock_nor_processes(home: Path) -> None:
    with dev_on(home) as first:
        first.wait_for("Starting Dagster")
        with dev_on(home) as second:
            assert second.process.wait(60) == 1
        assert f"is at http://127.0.0.1:{first.port} already" in second.printed()
        assert "Traceback" not in second.printed()
        first.process.kill()
        first.process.wait()
    wait_until(
        lambda: not [one for one in processes_of(home).values() if "dagster" in one],
        90,
        f"nothing is left: {processes_of(home)}",
    )
    with dev_on(home) as third:
        third.wait_for("Starting Dagster")


def test_a_port_in_use_is_refused_before_anything_starts(home: Path) -> None:
    with dev_on(home) as dev, socket.create_server(("127.0.0.1", dev.port)):
        assert dev.process.wait(60) == 1
    assert f"make dev PORT={dev.port + 1}" in dev.printed()
    assert "Starting" not in dev.printed()
