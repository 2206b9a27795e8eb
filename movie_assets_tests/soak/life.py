"""The days of a soak: each day's jobs launched as a person would, one after the other, with what goes wrong meanwhile.

A run that fails is launched again, as the sensors would, a few times. Other modules measure and evaluate.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import httpx
from dagster._core.storage.tags import PARENT_RUN_ID_TAG, WILL_RETRY_TAG

from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.emulator.responses import RefusedError, tmdb_error
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.world import Change
from movie_assets.runs.partitions import range_tags, ranges
from movie_assets.runs.run_time import AS_OF_TAG, noon_of
from movie_assets_tests.deployment import Deployment, wait_until
from movie_assets_tests.soak import gauges
from movie_assets_tests.soak.strikes import ENDED, NO_ANSWER, status_of, strike
from movie_assets_tests.soak.troubles import ErrorClass, faults_of

T = TypeVar("T")
MAX_TRIES = 5  # of a job within a day; 2 where the trouble lasts all day
LONGEST_RUN = 900.0  # seconds
PRESSES = 4  # of a button, at most
MONDAY, SUNDAY = 1, 7
IN_BATCHES = ("fetch_details", "embed_texts")
PEOPLE, FILMS_OF_A_PERSON = 30, 25
RUNS = """
{ runsOrError(limit: 25) { ... on Runs { results { runId jobName status startTime endTime tags { key value } } } } }
"""
GRAPH = """
{ assetNodes { assetKey { path } dependencyKeys { path } groupName description
  assetMaterializations(limit: 1) { runId timestamp } } }
"""
AUTOMATION = """
{ repositoriesOrError { ... on RepositoryConnection {
  nodes { name pipelines { name } schedules { name } sensors { name sensorState { status } } } } } }
"""
RUN = """
{ runsOrError(limit: 1) { ... on Runs { results { runId stats { ... on RunStatsSnapshot { stepsSucceeded } }
  eventConnection { events { __typename ... on MessageEvent { message timestamp } } } } } } }
"""


class World(MovingWorld):
    """A moving world whose change feed can be taken away."""

    is_without_changes = False
    refused = 0  # requests for the feed

    def __init__(self, movies: int, seed: int) -> None:
        super().__init__(movies, seed)
        read = self.changes

        def changes(day: date) -> Sequence[Change]:
            if self.is_without_changes:
                self.refused += 1
                raise RefusedError(tmdb_error(43))
            return read(day)

        self.changes = changes  # type: ignore[assignment]  # it stands in for a cached method


@dataclass
class Day:
    """What a day came to."""

    day: str
    seconds: float = 0.0
    troubles: dict[str, int] = field(default_factory=dict)  # how often each struck
    tries: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)  # jobs that no try brought to a good end, …
    excused: list[str] = field(default_factory=list)  # … and those that could not have one
    calls: int = 0
    films_changed: int = 0
    films: int = 0
    texts_sent: int = 0
    restarted: list[str] = field(default_factory=list)  # our processes that had ended by themselves
    gauges: dict[str, Any] = field(default_factory=dict)


@dataclass
class Life:
    """A deployment, its world, and the chance that decides."""

    deployment: Deployment
    tmdb_emulator: TmdbEmulator
    world: World
    inbox: Path
    chance: random.Random

    def days(self, first: date, plan: Sequence[Sequence[ErrorClass]]) -> Iterator[Day]:
        """Live through the days; tells of each."""
        for number, troubles in enumerate(plan):
            yield self._live(first + timedelta(days=number), troubles, number, is_last=number == len(plan) - 1)

    def _live(self, day: date, troubles: Sequence[ErrorClass], number: int, *, is_last: bool) -> Day:
        began, outcome = time.monotonic(), Day(day.isoformat())
        self.tmdb_emulator.today = day
        self.tmdb_emulator.reset_counts()
        if number == 0 or day.isoweekday() == MONDAY:
            self._write_histories(day, number)
        for job in due_jobs(day, is_first=number == 0, is_last=is_last):
            self._do(job, day, [error_class for error_class in troubles if error_class.job == job], outcome)
            self._look()
        outcome.restarted = self._revive()
        outcome.calls = sum(Counter(counts).total() for counts in self.tmdb_emulator.requests.values())
        outcome.texts_sent = self.tmdb_emulator.embedded_inputs
        changed = f"select count(*) from catalog.movies where changed_at = '{noon_of(day.isoformat())}'"
        outcome.films_changed, outcome.films = map(
            self.deployment.one, (changed, "select count(*) from catalog.movies")
        )
        outcome.seconds = round(time.monotonic() - began, 1)
        outcome.gauges = asdict(gauges.measured(self.deployment))
        return outcome

    def _do(self, job: str, day: date, troubles: Sequence[ErrorClass], outcome: Day) -> None:
        """Bring a job to a good end, in a few tries."""
        is_hopeless = any(error_class.lasts_all_day for error_class in troubles)
        before = self._struck(troubles)
        for attempt in range(1, 3 if is_hopeless else MAX_TRIES + 1):
            self.tmdb_emulator.faults = faults_of(troubles, attempt)
            self.world.is_without_changes = any(error_class.is_without_changes for error_class in troubles)
            struck = [error_class for error_class in troubles if attempt == 1 and error_class.strike]
            ended, runs = self._run(job, day, struck, outcome)
            outcome.tries[job] = outcome.tries.get(job, 0) + runs
            if ended == "SUCCESS":
                if is_hopeless:
                    outcome.failed.append(f"{job} (to fail, as its source was away)")
                break
        else:
            (outcome.excused if is_hopeless else outcome.failed).append(job)
        self.tmdb_emulator.faults, self.world.is_without_changes = {}, False
        outcome.troubles |= {name: count - before[name] for name, count in self._struck(troubles).items()}

    def _struck(self, troubles: Sequence[ErrorClass]) -> dict[str, int]:
        """How often the emulator did what each of these troubles asks of it."""
        counts, refused = self.tmdb_emulator.state()["struck"], self.world.refused
        return {
            error_class.name: refused
            if error_class.is_without_changes
            else sum(counts.get(fault, 0) for fault in error_class.faults)
            for error_class in troubles
            if not error_class.strike
        }

    def _run(self, job: str, day: date, struck: Sequence[ErrorClass], outcome: Day) -> tuple[str, int]:
        """Launch a job and see it through, with what Dagster itself repeats; tells how it ended and how many runs."""
        run_id, runs = persistently(lambda: self.deployment.launch(job, tags_of(job, day))), 1
        for error_class in struck:
            assert error_class.strike is not None
            outcome.troubles[error_class.name] = strike(self.deployment, run_id, error_class.strike, self.chance)
        while True:
            run = self._ended(run_id)
            if run.status.value == "SUCCESS" or run.tags.get(WILL_RETRY_TAG) != "true":
                return run.status.value, runs
            run_id, runs = self._repetition_of(run_id), runs + 1

    def _ended(self, run_id: str) -> dg.DagsterRun:
        """Wait for a run's end."""
        wait_until(lambda: status_of(self.deployment, run_id) in ENDED, LONGEST_RUN, f"run {run_id} ends")
        time.sleep(0.5)  # whether Dagster repeats it is written after that
        run = self.deployment.instance.get_run_by_id(run_id)
        assert run is not None
        return run

    def _repetition_of(self, run_id: str) -> str:
        found: list[dg.DagsterRun] = []

        def is_there() -> bool:
            try:
                found[:] = self.deployment.runs(tags={PARENT_RUN_ID_TAG: run_id})
            except NO_ANSWER:
                return False
            return bool(found)

        wait_until(is_there, 120, f"Dagster repeats run {run_id}")
        return found[0].run_id

    def _look(self) -> None:
        """What somebody who has the web UI open asks the web server for."""
        for query in (RUNS, GRAPH, AUTOMATION, RUN):
            persistently(partial(self.deployment.ask, query, None))
        httpx.get(f"http://127.0.0.1:{self.deployment.port}/runs", timeout=60).raise_for_status()

    def _revive(self) -> list[str]:
        """Start what has ended by itself, as a supervisor would; tells what that was."""
        ended = [name for name, process in self.deployment.processes.items() if process.poll() is not None]
        self.deployment.start(*ended)
        return ended

    def _write_histories(self, day: date, number: int) -> None:
        """What people rated by now, as MovieLens' files: more films each week."""
        columns = self.world.columns(day)
        popular = columns.tmdb_id[columns.vote_count.argsort()[::-1]][:300].tolist()
        dice = random.Random(number // 7)  # noqa: S311  # a world, no secret
        lines = [
            f"{person},{film},{dice.choice((2.0, 3.0, 3.5, 4.0, 5.0))},1700000000"
            for person in range(1, PEOPLE + 1)
            for film in dice.sample(popular, min(len(popular), FILMS_OF_A_PERSON + number // 7))
        ]
        (self.inbox / "links.csv").write_text(
            "\n".join(["movieId,imdbId,tmdbId", *(f"{film},,{film}" for film in popular)]) + "\n"
        )
        (self.inbox / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *lines]) + "\n")


def persistently(ask: Callable[[], T]) -> T:
    """Ask the web server as a person does, who presses again: a request after a restart of Postgres can fail.

    Dagster's web server keeps connections, and finds only in using one that it is lost.
    """
    for _ in range(PRESSES - 1):
        try:
            return ask()
        except (AssertionError, httpx.HTTPError):
            time.sleep(1)
    return ask()


def due_jobs(day: date, *, is_first: bool, is_last: bool) -> list[str]:
    """The jobs of a day in their order; the weekly and monthly ones when they are due, at the ends in any case."""
    jobs = ["read_the_day", "fetch_details", "read_ratings", "embed_texts", "publish"]
    if is_first or day.isoweekday() == MONDAY:
        jobs.append("recommend")
    if is_first or is_last or day.isoweekday() == SUNDAY:
        jobs.append("reconcile")
    if is_first or day.day == 1:
        jobs.append("clean_up")
    return jobs


def tags_of(job: str, day: date) -> dict[str, str]:
    """A run's tags: the noon of its day, and its partition or all batches."""
    tags = {AS_OF_TAG: noon_of(day.isoformat())}
    if job == "read_the_day":
        return {**tags, "dagster/partition": day.isoformat()}
    return {**tags, **range_tags(*ranges(1)[0])} if job in IN_BATCHES else tags
