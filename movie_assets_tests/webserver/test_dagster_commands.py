"""Dagster's own commands, typed in the checkout with nothing exported: they work, and see what `movie-assets` sees."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets_tests.deployment import LOCATION, wait_until
from movie_assets_tests.refresh.test_kill import read, server_runs
from movie_assets_tests.support.ports import free_port

BIN = Path(sys.executable).parent
MODULE = "movie_assets.definitions"
RUNS = "select pipeline_name, status from runs order by id"
SEEN = """
query ($of: RepositorySelector!) {
  runsOrError { ... on Runs { results { jobName status } } }
  sensorsOrError(repositorySelector: $of) { ... on Sensors { results { name sensorState { status } } } } }
"""


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ma") as folder:  # short: a socket's path may have 107 bytes
        os.chmod(folder, 0o755)  # noqa: S103, PTH101  # the embedded server's user has to walk through it
        yield Path(folder)


def environment(home: Path) -> dict[str, str]:
    """The environment of a shell in which nothing of ours is exported but the data folder."""
    ours = {str(field.alias) for field in Settings.model_fields.values()} | {"DAGSTER_HOME"}
    return {name: value for name, value in os.environ.items() if name not in ours} | {"MOVIE_ASSETS_HOME": str(home)}


COMMANDS = [  # in order: the second of those that run something goes on with what the first one stored
    f"dagster asset materialize -m {MODULE} --select tmdb_export --partition TODAY",
    "dg launch --assets movie_ids --partition TODAY",
    f"dagster job execute -m {MODULE} -j publish",
    "dagster definitions validate",
    "dg check defs",
    "dg list defs",
]


def execute(home: Path, command: str) -> None:
    """Run a command of Dagster's that has to succeed, with nothing exported but the data folder."""
    program, *arguments = command.split()
    done = subprocess.run(
        [BIN / program, *arguments], cwd=CHECKOUT, env=environment(home), capture_output=True, text=True, check=False,
        timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}: {done.stderr[-3000:]}"
    assert "Traceback" not in done.stderr, command
    assert not server_runs(home), f"{command}: the last of its users has to stop the server"


def test_commands_of_dagsters_store_what_movie_assets_stores_where_it_stores_it(home: Path) -> None:
    today = datetime.now(UTC).date().isoformat()  # the day of the first command; the others go on with it
    for command in COMMANDS:
        execute(home, command.replace("TODAY", today))
    lines = "select count(*) from pipeline.export_lines"
    assert read(home, "movie_assets", lines=lines)["lines"][0][0] > 0
    runs = read(home, "movie_assets_dagster", runs=RUNS)["runs"]
    assert runs == [("__ASSET_JOB", "SUCCESS"), ("__ASSET_JOB", "SUCCESS"), ("publish", "SUCCESS")]


@pytest.mark.parametrize("program", ["dagster", "dg"])
def test_the_web_ui_that_dagster_starts_shows_the_same_runs_with_schedules_and_sensors_on(
    program: str, home: Path
) -> None:
    execute(home, f"dagster job execute -m {MODULE} -j publish")
    port = free_port()
    output = home / f"said_{time.monotonic_ns()}"
    with output.open("w") as to:
        process = subprocess.Popen(
            [BIN / program, "dev", "-p", str(port)], cwd=CHECKOUT, env=environment(home), stdout=to, stderr=to,
            start_new_session=True,
        )  # fmt: skip
    try:
        wait_until(lambda: answers(port) or process.poll() is not None, 180, "the web UI answers")
        assert process.poll() is None, output.read_text()
        found = httpx.post(
            f"http://127.0.0.1:{port}/graphql", json={"query": SEEN, "variables": {"of": LOCATION}}, timeout=60
        ).json()["data"]
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(90)
    jobs = [run["jobName"] for run in found["runsOrError"]["results"]]
    assert "publish" in jobs
    assert {sensor["sensorState"]["status"] for sensor in found["sensorsOrError"]["results"]} == {"RUNNING"}
    wait_until(lambda: not server_runs(home), 30, "the server is stopped")


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/server_info", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_what_cannot_be_used_is_told_in_one_sentence(home: Path) -> None:
    wrong = environment(home) | {"MOVIE_ASSETS_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    command = [str(BIN / "dagster"), "job", "execute", "-m", MODULE, "-j", "publish"]
    done = subprocess.run(command, cwd=CHECKOUT, env=wrong, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr
