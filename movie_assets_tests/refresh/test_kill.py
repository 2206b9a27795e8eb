"""A real process, killed or asked to stop while it fetches: what is lost, what is done twice, what is left running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from movie_assets.catalog.movie_details import CHUNK
from movie_assets.config.settings import Settings
from movie_assets.database.embedded import embedded_postgres
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.tmdb.concurrent_calls import CONCURRENCY
from movie_assets_tests.support.world import Films, film

FILMS = 320
STATE = {
    "movies": "select to_jsonb(m) - 'changed_at' from catalog.movies m order by tmdb_id",
    "stats": "select to_jsonb(s) - 'seen_at' from catalog.movie_stats s order by tmdb_id",
    "ids": "select tmdb_id, state, reason, attempts from pipeline.movie_ids order by tmdb_id",
    "vectors": "select tmdb_id, text_hash, embedding::text from catalog.movie_vectors order by tmdb_id",
    "scores": "select to_jsonb(a) - 'computed_at' from catalog.rating_aggregates a order by scope, key",
}


def world() -> Films:
    """Films of all batches; some are rejected, two have the same text."""
    made = Films()
    made.put(*(film(n, vote_count=500 + n, runtime=100 if n > 50 else 20) for n in range(1, FILMS + 1)))
    made.put(film(300, title="Film 299", original_title="Film 299", overview=made.films[299]["overview"]))
    return made


@dataclass
class Refresh:
    """A refresh in a process of its own."""

    process: subprocess.Popen[str]
    output: Path

    def wait(self, seconds: float = 300) -> int:
        return self.process.wait(seconds)


@contextmanager
def refreshing(home: Path, tmdb_emulator: TmdbEmulator, rate: int, **variables: str) -> Iterator[Refresh]:
    """Start `movie-assets refresh` on a data folder, calling the emulator at a rate (0: as fast as it can).

    A process that does not end by itself is killed in the end, and its server stopped.
    """
    ours = {str(field.alias) for field in Settings.model_fields.values()} | {"DAGSTER_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in ours} | {
        "MOVIE_ASSETS_HOME": str(home),
        "MOVIE_ASSETS_TMDB_RATE": str(rate),
        "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "64",
        "TMDB_API_TOKEN": "a-token",
        "TMDB_API_URL": tmdb_emulator.tmdb_url,
        "TMDB_EXPORT_URL": tmdb_emulator.export_url,
        **variables,
    }
    home.mkdir(exist_ok=True)
    path = home / f"output_{time.monotonic_ns()}"
    with path.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", "from movie_assets.cli.main import main; main()", "refresh", "--json"],
            env=environment, stdout=output, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
    try:
        yield Refresh(process, path)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
            with embedded_postgres(home):  # the last to leave stops the server
                pass


def wait_for_details(films: Films, refresh: Refresh, count: int) -> None:
    """Return when so many details were asked for."""
    deadline = time.monotonic() + 300
    while films.asked.total() < count:
        assert refresh.process.poll() is None, refresh.output.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def server_runs(home: Path) -> bool:
    return (home / "postgres" / "postmaster.pid").exists()


def read(home: Path, database: str, **queries: str) -> dict[str, list[Any]]:
    """Answers of queries to a database under a data folder."""
    with (
        embedded_postgres(home) as server,
        psycopg.connect(server.replace("/?", f"/{database}?")) as connection,
    ):
        return {name: connection.execute(query.encode()).fetchall() for name, query in queries.items()}


def run_states(home: Path) -> list[str]:
    """States of all runs in Dagster's records."""
    return [row[0] for row in read(home, "movie_assets_dagster", runs="select status from runs order by id")["runs"]]


@dataclass(frozen=True)
class Killed:
    """What a kill and the refresh after it left behind, beside an undisturbed refresh."""

    home: Path
    undisturbed: Path
    films: Films
    second_exit_code: int
    before_kill: set[int]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    folder = tmp_path_factory.mktemp("kill")
    films = world()
    options = EmulatorOptions(rate_limit=0)
    with (
        TmdbEmulator(options, world=films) as tmdb_emulator,
        TmdbEmulator(options, world=world()) as calm,
        refreshing(folder / "calm", calm, 0) as undisturbed,
    ):
        with refreshing(folder / "home", tmdb_emulator, 120) as first:
            wait_for_details(films, first, CHUNK + 60)
            first.process.kill()
            first.wait()
            before_kill = set(films.asked)
        with refreshing(folder / "home", tmdb_emulator, 0) as second:
            exit_code = second.wait()
        assert undisturbed.wait() == 0, undisturbed.output.read_text()
    return Killed(folder / "home", folder / "calm", films, exit_code, before_kill)


def test_the_refresh_after_a_kill_ends_well(killed: Killed) -> None:
    assert killed.second_exit_code == 0
    assert CHUNK < len(killed.before_kill) < FILMS


def test_a_kill_costs_at_most_the_chunk_that_was_not_committed(killed: Killed) -> None:
    asked = killed.films.asked
    assert set(asked) == set(range(1, FILMS + 1))
    assert max(asked.values()) <= 2
    # One chunk was committed before the kill: its films are not asked for again.
    assert sum(times == 2 for times in asked.values()) <= len(killed.before_kill) - CHUNK
    assert len(killed.before_kill) - CHUNK <= CHUNK + CONCURRENCY


@pytest.mark.parametrize("what", STATE)
def test_the_end_state_is_that_of_an_undisturbed_run(killed: Killed, what: str) -> None:
    after_kill = read(killed.home, "movie_assets", **{what: STATE[what]})
    assert after_kill == read(killed.undisturbed, "movie_assets", **{what: STATE[what]})
    assert len(after_kill[what]) > 200


def test_no_run_is_left_unfinished_after_a_kill(killed: Killed) -> None:
    assert sorted(run_states(killed.home)) == ["FAILURE", *["SUCCESS"] * 8]


def test_the_run_log_has_what_the_killed_run_committed_and_calls_it_killed(killed: Killed) -> None:
    log = "select status, fetched from pipeline.run_log where step = 'movie_details' order by log_id"
    assert read(killed.home, "movie_assets", log=log)["log"] == [("killed", CHUNK), ("succeeded", FILMS - CHUNK)]


def test_no_server_is_left_running_after_a_kill_and_a_refresh(killed: Killed) -> None:
    assert not server_runs(killed.home)


@dataclass(frozen=True)
class Stopped:
    """What a signal in the middle of fetching left behind."""

    home: Path
    exit_code: int | None
    seconds: float
    calls_after: int
    output: str


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("signal")


@pytest.fixture(scope="module", params=[signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def stopped(request: pytest.FixtureRequest, home: Path) -> Stopped:
    films = world()
    with (
        TmdbEmulator(EmulatorOptions(rate_limit=0), world=films) as tmdb_emulator,
        refreshing(home, tmdb_emulator, 20) as refresh,
    ):
        wait_for_details(films, refresh, 20)
        asked, began, exit_code = films.asked.total(), time.monotonic(), None
        if request.param == signal.SIGINT:
            os.killpg(refresh.process.pid, signal.SIGINT)  # as a terminal's Ctrl-C, to its helpers as well
        else:
            refresh.process.send_signal(request.param)
        with suppress(subprocess.TimeoutExpired):
            exit_code = refresh.wait(10)
        seconds = time.monotonic() - began
        return Stopped(home, exit_code, seconds, films.asked.total() - asked, refresh.output.read_text())


def test_a_signal_ends_a_refresh_within_ten_seconds(stopped: Stopped) -> None:
    assert stopped.exit_code is not None
    assert stopped.exit_code != 0


def test_a_stopped_refresh_calls_tmdb_no_more(stopped: Stopped) -> None:
    assert stopped.calls_after <= 2 * CONCURRENCY


def test_a_stopped_refresh_begins_nothing_else(stopped: Stopped) -> None:
    assert "fetch details" in stopped.output
    assert "embed texts" not in stopped.output


def test_a_stopped_refresh_stops_its_server_and_leaves_no_unfinished_run(stopped: Stopped) -> None:
    assert stopped.exit_code is not None
    assert not server_runs(stopped.home)
    assert not {"STARTING", "STARTED", "CANCELING"} & set(run_states(stopped.home))


def test_a_stopped_refresh_prints_no_traceback(stopped: Stopped) -> None:
    assert "Traceback" not in stopped.output
