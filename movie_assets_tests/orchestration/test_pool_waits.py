"""A refresh that finds a pool held by another run: what it says, how it waits, how it ends. Real processes, SIGKILL."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.refresh.test_kill import Refresh, read, refreshing
from movie_assets_tests.support.world import Films, film

FILMS = 40
RUNS = "select pipeline_name, status from runs order by id"
SLOTS = "select count(*) from concurrency_slots where run_id is not null"
# A run that no command made, as a run of the web UI: it takes its lock when it begins, and embeds until it is killed.
HOLD = """
from datetime import UTC, datetime, timedelta
import dagster as dg
from movie_assets.orchestration.orphaned_runs import fail_orphaned_runs
from movie_assets.orchestration.sensors import ALL_BATCHES
from movie_assets_tests.support.definitions import defs
from movie_assets.database.database import open_database
from movie_assets.config.settings import Settings
from movie_assets.orchestration.startup import everything_for

with everything_for(Settings.from_env()) as ready, dg.DagsterInstance.get() as instance:
    # The holder of the test before.
    fail_orphaned_runs(instance, open_database(ready), datetime.now(UTC) + timedelta(minutes=2))
    defs.resolve_job_def("embed_texts").execute_in_process(instance=instance, tags=ALL_BATCHES)
"""


@pytest.fixture(scope="module")
def tmdb_emulator() -> Iterator[TmdbEmulator]:
    """TMDB with a few films, and an embeddings service that answers after ten minutes."""
    films = Films()
    films.put(*(film(n) for n in range(1, FILMS + 1)))
    with TmdbEmulator(EmulatorOptions(rate_limit=0, embedding_seconds=600), world=films) as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, tmdb_emulator: TmdbEmulator) -> Path:
    """A data folder with a catalogue that is up to date."""
    folder = tmp_path_factory.mktemp("pool")
    with refreshing(folder, tmdb_emulator, 0) as first:
        assert first.wait() == 0, first.output.read_text()
    return folder


@contextmanager
def holding(home: Path, tmdb_emulator: TmdbEmulator) -> Iterator["subprocess.Popen[bytes]"]:
    """A process whose run holds the pool `embedder`."""
    before = tmdb_emulator.requests.get("embeddings", {})
    environment = os.environ | {
        "MOVIE_ASSETS_HOME": str(home),
        "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "64",
        "TMDB_API_TOKEN": "a-token",
        "TMDB_API_URL": tmdb_emulator.tmdb_url,
        "TMDB_EXPORT_URL": tmdb_emulator.export_url,
        "OPENAI_API_KEY": "a-key",
        "OPENAI_BASE_URL": tmdb_emulator.openai_url,
    }
    with (home / "holder").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD], env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_until(lambda: "STEP_START" in (home / "holder").read_text(), process, home / "holder")
        assert slots(home) == 1
        yield process
    finally:
        process.kill()
        process.wait()
    assert tmdb_emulator.requests.get("embeddings", {}) == before  # it was never answered


def slots(home: Path) -> int:
    try:
        return int(read(home, "movie_assets_dagster", slots=SLOTS)["slots"][0][0])
    except IndexError:
        return 0


def wait_until(true: Any, process: "subprocess.Popen[Any]", output: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.2)


def waits(refresh: Refresh) -> None:
    wait_until(lambda: "waiting for the pool embedder" in refresh.output.read_text(), refresh.process, refresh.output)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_wait_names_the_run_that_holds_the_pool_costs_no_cpu_and_obeys_a_signal(
    home: Path, tmdb_emulator: TmdbEmulator
) -> None:
    with holding(home, tmdb_emulator), refreshing(home, tmdb_emulator, 0) as refresh:
        waits(refresh)
        before = cpu_seconds(refresh.process.pid)
        time.sleep(10)
        assert cpu_seconds(refresh.process.pid) - before < 1.5
        refresh.process.send_signal(signal.SIGTERM)
        assert refresh.wait(10) != 0
        output = refresh.output.read_text()
        assert "of embed_texts (launched by a person" in output
        assert "at most 120 min" in output
        assert "Traceback" not in output
        assert "publish" not in output


def test_a_wait_has_a_limit_after_which_the_refresh_does_the_rest_of_its_work(
    home: Path, tmdb_emulator: TmdbEmulator
) -> None:
    limit = {"MOVIE_ASSETS_POOL_WAIT_MINUTES": "0.1"}
    with holding(home, tmdb_emulator), refreshing(home, tmdb_emulator, 0, **limit) as refresh:
        assert refresh.wait(120) == 1
        output = refresh.output.read_text()
        assert "gave up after" in output
        assert "waiting for the pool embedder, held by the run" in output
        assert "recommend" in output


def test_a_pool_whose_holder_was_killed_is_freed_by_the_refresh_that_waits_for_it(
    home: Path, tmdb_emulator: TmdbEmulator
) -> None:
    with holding(home, tmdb_emulator) as holder:
        holder.kill()
        holder.wait()
        assert slots(home) == 1
        with refreshing(home, tmdb_emulator, 0) as refresh:
            assert refresh.wait(150) == 0, refresh.output.read_text()
            assert "whose process has ended" in refresh.output.read_text()
    assert slots(home) == 0
    runs = read(home, "movie_assets_dagster", runs=RUNS)["runs"]
    assert {status for _, status in runs} <= {"SUCCESS", "FAILURE"}
