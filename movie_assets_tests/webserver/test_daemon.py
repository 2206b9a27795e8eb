"""What a person does in the web UI, and what may happen to processes, on Dagster as it is deployed.

Takes minutes, so it runs only when asked for: pytest -m daemon.
"""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from movie_assets.catalog.movie_details import CHUNK
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.runs.partitions import batches, range_tags
from movie_assets.tmdb.concurrent_calls import CONCURRENCY
from movie_assets_tests.deployment import LOCATION, Deployment, deployed, free_ports, wait_until
from movie_assets_tests.refresh import seven_days
from movie_assets_tests.soak.gauges import memory_of
from movie_assets_tests.support.definitions import defs
from movie_assets_tests.support.world import Films, film

pytestmark = pytest.mark.daemon
FILMS = 640
PACE = 40  # calls a second
ALL = batches.get_partition_keys()
ROUNDS = 60  # of looks of all sensors
MAX_OF_A_LOOK = 0.008  # MB, where a page or two stay in the heap; it was 0.03 when each connection left classes behind
LOOK = """
mutation ($of: SensorSelector!) { sensorDryRun(selectorData: $of, cursor: null) {
  ... on DryRunInstigationTick { evaluationResult { error { message } } } } }
"""
STORED = "select count(*) from pipeline.raw_details"


def world(films: int = FILMS) -> Films:
    made = Films()
    made.put(*(film(tmdb_id, vote_count=500 + tmdb_id) for tmdb_id in range(1, films + 1)))
    return made


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ma") as folder:  # short: a socket's path may have 107 bytes
        os.chmod(folder, 0o755)  # noqa: S103, PTH101  # the embedded server's user has to walk through it
        yield Path(folder)


@pytest.fixture(scope="module")
def films() -> Films:
    return world()


@pytest.fixture(scope="module")
def tmdb_emulator(films: Films) -> Iterator[TmdbEmulator]:
    """TMDB, which answers 429 to more than 50 calls in a second."""
    with TmdbEmulator(EmulatorOptions(rate_limit=50), world=films) as running:
        yield running


@pytest.fixture(scope="module")
def by_hand(home: Path, tmdb_emulator: TmdbEmulator) -> Iterator[Deployment]:
    """Everything, with sensors and schedules off: only what a person launches happens."""
    with deployed(home, tmdb_emulator, free_ports(), tmdb_rate=PACE) as deployment:
        today = time.strftime("%Y-%m-%d", time.gmtime())
        assert deployment.wait_for(deployment.launch("read_the_day", {"dagster/partition": today})) == "SUCCESS"
        yield deployment


def backfilled(deployment: Deployment, backfill: str, runs: int = 1) -> list[str]:
    """Ids of a backfill's runs, once there are so many."""
    tags = {"dagster/backfill": backfill}
    wait_until(lambda: len(deployment.runs(tags=tags)) >= runs, 120, "the backfill's runs are launched")
    return [run.run_id for run in deployment.runs(tags=tags)]


# In order: each goes on where the one before left the catalogue.


def test_a_cancelled_backfill_keeps_what_it_finished(by_hand: Deployment, films: Films) -> None:
    (run,) = backfilled(by_hand, by_hand.backfill("movie_details", ALL))
    wait_until(lambda: by_hand.one(STORED) >= CHUNK, 120, "a chunk is stored")
    by_hand.terminate(run)
    seconds = wait_until(lambda: by_hand.status(run) == "CANCELED", 60, "the run is cancelled")
    print(f"cancelled after {seconds:.1f} s with {by_hand.one(STORED)} films stored")
    assert seconds < 10
    assert films.asked.total() < FILMS
    stored = by_hand.one(STORED)
    assert stored >= CHUNK
    assert films.asked.total() - stored <= CHUNK + CONCURRENCY
    asked = films.asked.total()
    time.sleep(3)
    assert films.asked.total() == asked


def test_batches_turn_green_one_by_one_and_a_bad_one_stops_no_other(by_hand: Deployment, films: Films) -> None:
    stored = by_hand.one(STORED)
    bad = [tmdb_id for tmdb_id in films.films if tmdb_id % 64 == 47 and not films.asked[tmdb_id]]
    assert len(bad) > 2
    films.responses = dict.fromkeys(bad, b'{"id": 1}')
    (run,) = backfilled(by_hand, by_hand.backfill("movie_details", ALL))
    seen = set()
    while by_hand.status(run) not in ("SUCCESS", "FAILURE"):
        seen.add(len(by_hand.materialized("movie_details")))
        time.sleep(0.3)
    lines = [e.message for e in by_hand.instance.all_logs(run) if "films, " in str(e.message)]
    print(f"green batches seen on the way: {sorted(seen)}; {len(lines)} lines of progress, like {lines[:1]}")
    assert by_hand.status(run) == "FAILURE"
    assert by_hand.materialized("movie_details") == set(ALL) - {"batch_47"}
    assert len([n for n in seen if 0 < n < 63]) >= 5
    assert len(lines) >= 3
    assert by_hand.one(STORED) == FILMS - len(bad)
    assert stored < FILMS - len(bad)


def test_a_few_batches_that_do_not_touch_are_done_and_no_other(by_hand: Deployment, films: Films) -> None:
    films.responses = {}
    asked = films.asked.total()
    few = ["batch_03", "batch_47", "batch_60"]
    runs = backfilled(by_hand, by_hand.backfill("movie_details", few), 3)
    assert [by_hand.wait_for(run) for run in runs] == ["SUCCESS"] * 3
    assert by_hand.materialized("movie_details") == set(ALL)
    assert by_hand.one(STORED) == FILMS
    assert films.asked.total() - asked == sum(
        tmdb_id % 64 == 47 and films.asked[tmdb_id] > 1 for tmdb_id in films.films
    )


def test_a_range_is_one_run(by_hand: Deployment) -> None:
    runs = backfilled(by_hand, by_hand.backfill("movie_embeddings", ALL[10:20]))
    assert [by_hand.wait_for(run) for run in runs] == ["SUCCESS"]
    assert by_hand.materialized("movie_embeddings") == set(ALL[10:20])


def test_two_workers_share_the_rate_and_no_film_is_fetched_twice(
    by_hand: Deployment, films: Films, tmdb_emulator: TmdbEmulator
) -> None:
    films.put(*(film(tmdb_id) for tmdb_id in range(FILMS + 1, 4 * FILMS + 1)))
    by_hand.instance.event_log_storage.set_concurrency_slots("tmdb", 2)
    by_hand.one(
        "insert into pipeline.requested_ids (tmdb_id) "
        f"select * from generate_series({FILMS + 1}, {4 * FILMS}) returning tmdb_id"
    )
    asked = films.asked.copy()
    tmdb_emulator.reset_counts()
    halves = [by_hand.launch("fetch_details", range_tags(ALL[first], ALL[first + 31])) for first in (0, 32)]
    wait_until(lambda: [by_hand.status(run) for run in halves] == ["STARTED"] * 2, 120, "both work at once")
    pids = {by_hand.process_of(run) for run in halves}
    before = films.asked.total()
    seconds = wait_until(lambda: films.asked.keys() == films.films.keys(), 300, "every film is asked for")
    limiter = (films.asked.total() - before) / seconds
    assert [by_hand.wait_for(run) for run in halves] == ["SUCCESS"] * 2
    by_hand.instance.event_log_storage.set_concurrency_slots("tmdb", 1)
    fetched = films.asked - asked
    responses = tmdb_emulator.requests["movie"]
    print(
        f"{fetched.total()} films by the processes {pids}: {responses}, {limiter:.1f} calls a second, at most "
        f"{tmdb_emulator.max_requests_in_any_second} in any"
    )
    assert limiter <= 1.05 * PACE
    assert responses.get(429, 0) <= 0.01 * sum(responses.values())
    assert len(pids) == 2
    assert set(fetched) == films.films.keys() - asked.keys()
    assert set(fetched.values()) == {1}


def test_looks_of_sensors_leave_the_code_server_as_large_as_it_was(by_hand: Deployment) -> None:
    """Caches fill at first. A day has some twenty thousand looks, so that a little of each would be much."""
    sensors = [sensor.name for sensor in defs.get_repository_def().sensor_defs]

    def look() -> float:
        for name in sensors * ROUNDS:
            looked = by_hand.ask(LOOK, {**LOCATION, "sensorName": name})["sensorDryRun"]
            assert looked["evaluationResult"]["error"] is None
        return memory_of(by_hand)["code"]

    settled = look()
    assert look() - settled < ROUNDS * len(sensors) * MAX_OF_A_LOOK


@pytest.fixture
def running() -> Iterator[tuple[Deployment, Films, TmdbEmulator]]:
    """A fresh catalogue with sensors and schedules on, at 40 calls a second under a hard limit of 50."""
    fresh = world(1500)
    with (
        tempfile.TemporaryDirectory(prefix="ma") as folder,
        TmdbEmulator(EmulatorOptions(rate_limit=50), world=fresh) as tmdb_emulator,
    ):
        os.chmod(folder, 0o755)  # noqa: S103, PTH101  # the embedded server's user has to walk through it
        with deployed(Path(folder), tmdb_emulator, free_ports(), automation=True, tmdb_rate=PACE) as deployment:
            yield deployment, fresh, tmdb_emulator


def fetching(deployment: Deployment, fresh: Films) -> str:
    """The run that fetches, once it has stored a chunk."""
    wait_until(lambda: fresh.asked.total() > CHUNK + CONCURRENCY, 300, "the sensors launch what there is to do")
    (run,) = deployment.runs("fetch_details")
    return run.run_id


def test_a_run_whose_process_is_killed_is_failed_and_its_work_resumed_by_itself(
    running: tuple[Deployment, Films, TmdbEmulator],
) -> None:
    deployment, fresh, _ = running
    run = fetching(deployment, fresh)
    pid = deployment.process_of(run)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    began, asked = time.monotonic(), fresh.asked.total()
    failed = wait_until(lambda: deployment.status(run) == "FAILURE", 120, "the run is marked failed")
    wait_until(lambda: fresh.asked.total() > asked + CONCURRENCY, 300, "the work is resumed")
    resumed = time.monotonic() - began
    wait_until(lambda: deployment.one(STORED) == 1500, 300, "everything is fetched")
    twice = sum(times - 1 for times in fresh.asked.values())
    print(f"failed after {failed:.1f} s, resumed after {resumed:.0f} s, {twice} films asked for twice")
    assert max(fresh.asked.values()) == 2
    assert twice <= CHUNK + CONCURRENCY


def test_after_a_power_cut_the_run_is_buried_and_its_work_resumed(
    running: tuple[Deployment, Films, TmdbEmulator],
) -> None:
    deployment, fresh, _ = running
    run = fetching(deployment, fresh)
    pid = deployment.process_of(run)
    assert pid is not None
    deployment.kill("daemon", "code")
    os.kill(pid, signal.SIGKILL)
    time.sleep(5)
    assert deployment.status(run) == "STARTED"  # nobody is left who could tell
    began, asked = time.monotonic(), fresh.asked.total()
    deployment.start("code")
    deployment.start("daemon")
    failed = wait_until(lambda: deployment.status(run) == "FAILURE", 400, "the run is buried")
    wait_until(lambda: fresh.asked.total() > asked + CONCURRENCY, 400, "the work is resumed")
    resumed = time.monotonic() - began
    wait_until(lambda: deployment.one(STORED) == 1500, 300, "everything is fetched")
    print(f"buried after {failed:.0f} s, resumed after {resumed:.0f} s")
    assert max(fresh.asked.values()) == 2
    records = deployment.instance.get_run_records(dg.RunsFilter(job_name="fetch_details"))
    assert [record.dagster_run.status.value for record in records if record.dagster_run.run_id == run] == ["FAILURE"]


@pytest.mark.skipif(bool(seven_days.what_is_missing()), reason=str(seven_days.what_is_missing()))
def test_in_a_week_each_days_work_happens_by_itself_and_once() -> None:
    assert seven_days.main() == 0
