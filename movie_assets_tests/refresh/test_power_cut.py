"""All processes of a data folder killed at once: `refresh` or `dev`, whichever is next, ends runs and frees pools."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from movie_assets.catalog.movie_details import CHUNK
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.cli.test_dev import dev_on, processes_of
from movie_assets_tests.deployment import wait_until
from movie_assets_tests.refresh.test_kill import read, refreshing
from movie_assets_tests.support.world import Films, film

FILMS = 1_000
RUNS = "select pipeline_name, status from runs order by id"
SLOTS = "select count(*) from concurrency_slots where run_id is not null"


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ma") as folder:  # short: a socket's path may have 107 bytes
        os.chmod(folder, 0o755)  # noqa: S103, PTH101  # the embedded server's user has to walk through it
        yield Path(folder)


@pytest.fixture
def films() -> Films:
    made = Films()
    made.put(*(film(n) for n in range(1, FILMS + 1)))
    return made


@pytest.fixture
def tmdb_emulator(films: Films) -> Iterator[TmdbEmulator]:
    with TmdbEmulator(EmulatorOptions(rate_limit=0), world=films) as running:
        yield running


def cut_the_power(home: Path) -> None:
    """Kill every process of the data folder, and the server with the processes of its connections."""
    server = home / "postgres" / "postmaster.pid"
    wait_until(server.exists, 5, "the server runs")
    pids = [*processes_of(home), int(server.read_text().splitlines()[0])]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not processes_of(home), 30, "all are dead")


def test_after_a_power_cut_under_dev_a_refresh_does_the_rest(
    home: Path, films: Films, tmdb_emulator: TmdbEmulator
) -> None:
    tmdb = {
        "TMDB_API_TOKEN": "a-token",
        "TMDB_API_URL": tmdb_emulator.tmdb_url,
        "TMDB_EXPORT_URL": tmdb_emulator.export_url,
    }
    with dev_on(home, MOVIE_ASSETS_TMDB_RATE="50", MOVIE_ASSETS_EMBEDDING_DIMENSIONS="64", **tmdb) as dev:
        wait_until(lambda: films.asked.total() > CHUNK + 20, 300, "the sensors' run fetches")
        cut_the_power(home)
        dev.process.wait()
    with refreshing(home, tmdb_emulator, 0) as refresh:
        assert refresh.wait(200) == 0, refresh.output.read_text()
    found = read(home, "movie_assets_dagster", runs=RUNS, slots=SLOTS)
    assert found["slots"] == [(0,)]
    assert ("fetch_details", "FAILURE") in found["runs"]
    assert "STARTED" not in {status for _, status in found["runs"]}
    assert set(films.asked) == set(films.films)


def test_after_a_power_cut_under_a_refresh_dev_ends_its_run_as_it_starts(
    home: Path, films: Films, tmdb_emulator: TmdbEmulator
) -> None:
    with refreshing(home, tmdb_emulator, 50) as refresh:
        wait_until(lambda: films.asked.total() > CHUNK + 20, 200, "it fetches")
        cut_the_power(home)
        refresh.process.wait()
    with dev_on(home) as dev:
        dev.wait_for("Starting Dagster")
        found = read(home, "movie_assets_dagster", runs=RUNS, slots=SLOTS)
    assert found["slots"] == [(0,)]
    read_first = [("read_the_day", "SUCCESS"), ("read_list_snapshots", "SUCCESS")]
    assert found["runs"] == [*read_first, ("fetch_details", "FAILURE")]
