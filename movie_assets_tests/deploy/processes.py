"""The services of deploy/compose.yaml as processes of this machine: the same commands, other ports and addresses."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from movie_assets.cli.dev import default_signals
from movie_assets.config.paths import CHECKOUT
from movie_assets_tests.deploy.files import SERVICES

BIN = Path(sys.executable).parent
SECONDS_TO_START = 120
SECONDS_TO_STOP = 60


@dataclass(frozen=True)
class Place:
    """Where the services are on this machine, in the place of Compose's network and volumes."""

    folder: Path
    code_port: int
    variables: Mapping[str, str]  # what .env and settings.env would say

    def command(self, service: str, port: int | None = None) -> list[str]:
        """A service's command from the file, with this machine's ports and paths."""
        return self._here(SERVICES[service]["command"], port)

    def health_check(self, service: str, port: int | None = None) -> list[str]:
        """The command by which Compose sees that a service is well."""
        kind, *command = SERVICES[service]["healthcheck"]["test"]
        assert kind == "CMD"
        return self._here(command, port)

    def environment(self, service: str) -> dict[str, str]:
        """What the file hands to a service, and what the image sets."""
        named = SERVICES[service].get("environment", {})
        given = set(named) | ({*self.variables} if "env_file" in SERVICES[service] else set())
        return {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "PYTHONPATH": str(CHECKOUT),
            "DAGSTER_HOME": str(CHECKOUT),
            "MOVIE_ASSETS_HOME": str(self.folder),
            "MOVIE_ASSETS_DAGSTER_FILES": str(self.folder),
            **{name: self.variables[name] for name in given},
        }

    def _here(self, command: list[str], port: int | None = None) -> list[str]:
        workspace = self.folder / "workspace.yaml"
        text = (CHECKOUT / "deploy" / "workspace.yaml").read_text()
        workspace.write_text(text.replace("host: code", "host: 127.0.0.1").replace("4000", str(self.code_port)))
        here = {
            "0.0.0.0": "127.0.0.1",  # noqa: S104  # what is replaced
            "4000": str(self.code_port),
            "3000": str(port),
            "deploy/workspace.yaml": str(workspace),
        }
        program, *arguments = [here.get(part, part).replace(":3000/", f":{port}/") for part in command]
        return [str(BIN / program), *arguments]


@dataclass
class Process:
    """A service that runs."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path
    port: int | None

    def left(self) -> list[str]:
        """Command lines of it and of its children that are still there."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
                command = (folder / "cmdline").read_text().replace("\0", " ")
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
            if int(session) == self.child.pid and state != "Z":
                found.append(command)
        return found

    def stop(self) -> int:
        """Ask it to end, as a container engine does; its exit code."""
        self.child.send_signal(signal.SIGTERM)
        code = self.child.wait(SECONDS_TO_STOP)
        deadline = time.monotonic() + SECONDS_TO_STOP
        while self.left() and time.monotonic() < deadline:
            time.sleep(0.5)
        return code


def run_once(place: Place, service: str) -> None:
    """Run a service that ends by itself."""
    done = subprocess.run(
        place.command(service),
        cwd=CHECKOUT,
        env=place.environment(service),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def running(place: Place, service: str, port: int | None = None) -> Iterator[Process]:
    """Start a service; it is killed with all its children in the end if it has not stopped by then."""
    log = place.folder / f"{service}.log"
    with ExitStack() as stack:
        child = subprocess.Popen(
            place.command(service, port), cwd=CHECKOUT, env=place.environment(service),
            stdout=stack.enter_context(log.open("wb")), stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=default_signals,  # noqa: PLW1509
        )  # fmt: skip
        process = Process(service, child, log, port)
        try:
            yield process
        finally:
            if process.left():
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def wait_until_well(place: Place, process: Process) -> None:
    """Ask as Compose asks until the service is well."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        assert process.child.poll() is None, process.log.read_text()
        asked = subprocess.run(
            place.health_check(process.name, process.port), cwd=CHECKOUT, env=place.environment(process.name),
            capture_output=True, check=False,
        )  # fmt: skip
        if asked.returncode == 0:
            return
        time.sleep(1)
    raise AssertionError(
        f"{process.name} is not well: {asked.stderr.decode()[-500:]} {process.log.read_text()[-2000:]}"
    )
