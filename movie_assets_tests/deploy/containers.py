"""deploy/compose.yaml on a container engine, started from a copy of its folder, as deploy/README.md says.

Variables: CONTAINERS_TEST_COMPOSE (the command, e.g. "podman-compose"), CONTAINERS_TEST_PROJECT (the project's name),
and other images than the files name: CONTAINERS_TEST_PYTHON_IMAGE, CONTAINERS_TEST_POSTGRES_IMAGE and
CONTAINERS_TEST_PROXY_IMAGE.
"""

import json
import logging
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from movie_assets_tests.deploy.files import DEPLOY, SERVICES
from movie_assets_tests.deploy.web_ui import WebUi
from movie_assets_tests.support.ports import free_port

LOG = logging.getLogger("containers")
logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each time that a status is asked
SECONDS = 600
OLDEST_PODMAN = (4, 6)  # earlier ones cannot wait until a container is healthy
PROJECT = os.environ.get("CONTAINERS_TEST_PROJECT", "movie_assets_containers_test")
ALWAYS = ("postgres", "code", "daemon", "web", "web_read_only", "proxy", "emulator")
PASSWORD = "operator-password"
# Sends SIGKILL to the processes of a container whose command line has a text, as the kernel does when memory runs out.
# Process 1 is the init; this program's own command line has the text, too.
CRASH = """
import os, pathlib, sys
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    pid = int(folder.name)
    if pid not in (1, os.getpid()) and sys.argv[1] in (folder / "cmdline").read_text().replace(chr(0), " "):
        os.kill(pid, 9)
        print(pid)
"""
ROWS = """select format('select %L, count(*) from %I.%I', schemaname || '.' || tablename, schemaname, tablename)
from pg_tables where schemaname in ('catalog', 'pipeline', 'public') order by 1 \\gexec
"""
OVERRIDE = """
services:
  postgres: {{image: "{postgres}"}}
  proxy: {{image: "{proxy}"}}
  emulator:
    image: movie_assets:{emulator}
    command: ["movie-assets", "emulator", "--host", "0.0.0.0", "--port", "8765", "--movies", "{movies}"]
"""


def images() -> dict[str, str]:
    """Names of the images that are not ours."""
    (python,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    return {
        "python": os.environ.get("CONTAINERS_TEST_PYTHON_IMAGE", python),
        "postgres": os.environ.get("CONTAINERS_TEST_POSTGRES_IMAGE", SERVICES["postgres"]["image"]),
        "proxy": os.environ.get("CONTAINERS_TEST_PROXY_IMAGE", SERVICES["proxy"]["image"]),
    }


class EngineError(Exception):
    """A command of the engine failed, or there is no engine; the message is what it printed."""


@dataclass(frozen=True)
class Engine:
    """A container engine and its Compose."""

    program: str
    compose: tuple[str, ...]

    def run(self, *arguments: str) -> str:
        """Run a command of the engine; its output."""
        return output([self.program, *arguments])

    def has(self, image: str) -> bool:
        """Whether an image is here or can be pulled."""
        for command in (("image", "inspect"), ("pull", "--quiet")):
            try:
                self.run(*command, image)
            except EngineError:
                continue
            return True
        return False

    def build(self, checkout: Path, version: str) -> float:
        """Build our image as deploy/README.md says, with a tag; the seconds that it took."""
        began = time.monotonic()
        output(
            [*self.compose, "--file", f"{checkout}/deploy/compose.yaml", "--project-name", PROJECT, "build",
             "--build-arg", f"PYTHON_IMAGE={images()['python']}", "migrate"],
            variables={"MOVIE_ASSETS_VERSION": version},
        )  # fmt: skip
        return time.monotonic() - began


def find_engine() -> Engine:
    """The engine of this machine; EngineError says why there is none."""
    wanted = os.environ.get("CONTAINERS_TEST_COMPOSE")
    for program, compose in (("docker", "docker compose"), ("podman", "podman compose"), ("podman", "podman-compose")):
        if wanted not in (None, compose) or shutil.which(program) is None or shutil.which(compose.split()[0]) is None:
            continue
        try:
            output([program, "info"])
            output([*compose.split(), "version"])
        except EngineError as error:
            LOG.info("%s cannot be used: %s", compose, error)
            continue
        if program == "podman" and _podman() < OLDEST_PODMAN:
            LOG.info("%s cannot be used: podman is older than 4.6", compose)
            continue
        return Engine(program, tuple(compose.split()))
    raise EngineError(f"no container engine that answers, with Compose: {wanted or 'docker compose, podman-compose'}")


def _podman() -> tuple[int, ...]:
    found = re.search(r"(\d+)\.(\d+)", output(["podman", "--version"]))
    return tuple(map(int, found.groups())) if found else (0, 0)


def output(command: list[str], variables: dict[str, str] | None = None, given: bytes | None = None) -> str:
    """Run a command; its output. EngineError with the end of what it printed when it fails."""
    return raw_output(command, variables, given).decode()


def raw_output(command: list[str], variables: dict[str, str] | None = None, given: bytes | None = None) -> bytes:
    """The same as `output`, in bytes."""
    done = subprocess.run(
        command, env=os.environ | (variables or {}), input=given, capture_output=True, timeout=SECONDS * 3, check=False
    )
    if done.returncode != 0:
        raise EngineError(f"{' '.join(command[-4:])}: {done.stdout.decode()[-3000:]}{done.stderr.decode()[-3000:]}")
    return done.stdout


def wait_until(true: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Wait until something holds, and log how long it took."""
    began = time.monotonic()
    while not true():
        if time.monotonic() > began + seconds:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(1)
    LOG.info("%.0f s until %s", time.monotonic() - began, what)


@dataclass
class Stack:
    """The services of a folder like deploy/, and what is done to them."""

    engine: Engine
    folder: Path
    emulator: str  # the tag whose emulator is used
    movies: int = 600
    port: int = field(default_factory=free_port)
    read_only_port: int = field(default_factory=free_port)
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def ui(self) -> WebUi:
        """The web UI behind the proxy."""
        return WebUi(f"http://127.0.0.1:{self.port}", ("operator", PASSWORD))

    @property
    def read_only_ui(self) -> WebUi:
        """The web UI of people who look."""
        return WebUi(f"http://127.0.0.1:{self.read_only_port}", ("viewer", PASSWORD))

    def install(self, deploy: Path, version: str) -> None:
        """Take the files of a version, and say its tag in .env; passwords stay."""
        shutil.copytree(deploy, self.folder, dirs_exist_ok=True)
        shutil.copy(DEPLOY / "emulator.yaml", self.folder)
        for name, value in (self.variables or self._first_variables()).items():
            self.variables[name] = value
        self.variables["MOVIE_ASSETS_VERSION"] = version
        lines = [f"{name}='{value}'" for name, value in self.variables.items()]
        (self.folder / ".env").write_text("\n".join(lines))
        names = images()
        (self.folder / "test.yaml").write_text(
            OVERRIDE.format(
                postgres=names["postgres"], proxy=names["proxy"], emulator=self.emulator, movies=self.movies
            )
        )
        (self.folder / "settings.env").write_text("MOVIE_ASSETS_EMBEDDING_DIMENSIONS=64\nMOVIE_ASSETS_TMDB_RATE=8\n")

    def _first_variables(self) -> dict[str, str]:
        hashed = self.engine.run(
            "run", "--rm", images()["proxy"], "caddy", "hash-password", "--plaintext", PASSWORD
        ).strip()
        return {
            "COMPOSE_PROFILES": "postgres,viewers",
            **{
                name: secrets.token_hex(24)
                for name in ("POSTGRES_PASSWORD", "MOVIE_ASSETS_DB_PASSWORD", "MOVIE_ASSETS_DAGSTER_DB_PASSWORD")
            },
            "UI_USER": "operator", "UI_PASSWORD_HASH": hashed, "VIEWER_USER": "viewer", "VIEWER_PASSWORD_HASH": hashed,
            "MOVIE_ASSETS_LISTEN": f"127.0.0.1:{self.port}",
            "MOVIE_ASSETS_LISTEN_READ_ONLY": f"127.0.0.1:{self.read_only_port}",
        }  # fmt: skip

    def compose(self, *arguments: str, given: bytes | None = None) -> str:
        """Run a command of Compose on the folder's files."""
        return output(self._compose(*arguments), given=given)

    def _compose(self, *arguments: str) -> list[str]:
        files = [f"--file={self.folder}/{name}" for name in ("compose.yaml", "emulator.yaml", "test.yaml")]
        return [*self.engine.compose, *files, f"--env-file={self.folder}/.env", f"--project-name={PROJECT}", *arguments]

    def up(self) -> None:
        """Start what is not running, and wait until every service is well."""
        LOG.info("up -d")
        self.compose("up", "-d")
        self.wait_until_well(*ALWAYS)

    def down(self) -> None:
        """Remove the containers, their network and their volumes."""
        self.compose("down", "--volumes", "--timeout", "20")

    def container(self, service: str) -> str:
        """A service's container."""
        found = self.compose("ps", "--all", "--quiet", service).split()
        assert found, f"{service} has no container"
        return found[0]

    def is_well(self, service: str) -> bool:
        """Whether a service runs and, if it has a health check, passed it."""
        state = json.loads(self.engine.run("inspect", "--format", "{{json .State}}", self.container(service)))
        return bool(state["Running"]) and state.get("Health", {}).get("Status", "healthy") == "healthy"

    def wait_until_well(self, *services: str) -> None:
        """Wait until services are well, and the web UI knows the jobs."""
        for service in services:
            wait_until(partial(self.is_well, service), f"{service} is well")
        if "proxy" in services:
            wait_until(lambda: self.ui.status() == 200, "the web UI answers")

    def stop(self, *services: str) -> None:
        """Stop services; each has to end by itself."""
        self.compose("stop", *services)
        for service in services:
            state = json.loads(self.engine.run("inspect", "--format", "{{json .State}}", self.container(service)))
            assert state["ExitCode"] == 0, f"{service} ended with {state['ExitCode']}"

    def restarts(self, service: str) -> int:
        """How often the engine started a container again."""
        return int(self.engine.run("inspect", "--format", "{{.RestartCount}}", self.container(service)))

    def crash(self, service: str, text: str) -> int:
        """Kill the processes of a container whose command line has a text; how many there were."""
        code = ["exec", "-T", service, "python", "-c", CRASH, text]
        return len(self.compose(*code).split())

    def sql(self, text: str, database: str = "movie_assets", role: str = "postgres") -> list[list[str]]:
        """Rows of psql in the container of Postgres."""
        command = ["psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1"]
        rows = self.compose(
            "exec", "-T", "postgres", *command, "--username", role, "--dbname", database, given=text.encode()
        )
        return [line.split("|") for line in rows.splitlines()]

    def one(self, text: str) -> int:
        """A number."""
        ((value,),) = self.sql(text)
        return int(value)

    def rows(self, database: str) -> dict[str, int]:
        """How many rows each table of a database has."""
        return {table: int(count) for table, count in self.sql(ROWS, database)}

    def dump(self, database: str) -> bytes:
        """A backup as deploy/README.md says."""
        return raw_output(
            self._compose("exec", "-T", "postgres", "pg_dump", "--format", "custom", "--username", database, database)
        )

    def restore(self, database: str, dump: bytes) -> None:
        """Restore a backup as deploy/README.md says."""
        self.sql(f"drop database if exists {database} with (force)", "postgres")
        self.run_roles()
        self.compose(
            "exec", "-T", "postgres", "pg_restore", "--exit-on-error", "--clean", "--if-exists",
            "--username", "postgres", "--dbname", database, given=dump,
        )  # fmt: skip

    def run_roles(self) -> None:
        """Run roles.sql again. The container's own copy may be of the version with which it was started."""
        self.sql((self.folder / "roles.sql").read_text(), "postgres")
