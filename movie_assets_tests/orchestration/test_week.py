"""A week of the day's schedule, the work sensors and a moving world, on the test's clock: each day's work once.

The other four schedules ask when runs were created, which Dagster records by the real clock: test_schedules asks them
look by look, and `movie_assets_tests.refresh.seven_days` has all of them, with Dagster's own daemon and processes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, ClassVar

import dagster as dg
import pytest

from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.orchestration.sensors import TRIGGERS
from movie_assets.tmdb.client import Tmdb
from movie_assets_tests.conftest import Pipeline, database_of_ones_own, settings_for
from movie_assets_tests.support.definitions import defs

FIRST = date(2026, 10, 5)
LATE = 3  # the day on which TMDB publishes at ten past ten
HOURS = (0, 4, 8.25, 8.5, 8.75, 9, 10, 10.25, 12.5, 18, 23.75)


class Clock(datetime):
    """The triggers' clock."""

    as_of: ClassVar[datetime]

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Clock":
        as_of = cls.as_of.astimezone(tz)
        return cls.fromtimestamp(as_of.timestamp(), tz)


@dataclass
class Week:
    """Triggers as the daemon evaluates them, and the runs that they launched: (day, hour, job)."""

    pipeline: Pipeline
    tmdb_emulator: TmdbEmulator
    cursors: dict[str, str | None] = field(default_factory=dict)
    launched: list[tuple[int, float, str]] = field(default_factory=list)
    idle: list[tuple[int, str]] = field(default_factory=list)  # runs that had nothing to do
    calls: dict[int, int] = field(default_factory=dict)

    def live(self, number: int) -> None:
        """Live through a day, at the hours at which something could happen; a round of ticks every half minute then."""
        self.tmdb_emulator.today = self.pipeline.day = FIRST + timedelta(days=number)
        self.tmdb_emulator.reset_counts()
        for hour in HOURS if number else HOURS[3:]:
            is_late = number == LATE and hour < 10.1
            self.tmdb_emulator.faults = {"export_missing": 1.0} if is_late else {}
            Clock.as_of = datetime.combine(self.pipeline.day, datetime.min.time(), UTC) + timedelta(hours=hour)
            self._run(number, hour, "read_the_day", self._look())
            while sum(self._run(number, hour, trigger.job, self._tick(trigger.sensor)) for trigger in TRIGGERS):
                Clock.as_of += timedelta(seconds=30)
        self.calls[number] = sum(self.tmdb_emulator.requests.get("movie", {}).values())

    def _look(self) -> list[dg.RunRequest]:
        if not 8.5 <= Clock.as_of.hour + Clock.as_of.minute / 60 < 24:
            return []
        resources = {"database": self.pipeline.database, "tmdb": Tmdb(self.pipeline.settings, self.pipeline.database)}
        context = dg.build_schedule_context(scheduled_execution_time=Clock.as_of, resources=resources)
        result: Any = defs.resolve_schedule_def("read_the_day_at_0830")(context)
        return [result] if isinstance(result, dg.RunRequest) else []

    def _tick(self, name: str) -> list[dg.RunRequest]:
        resources = {
            "database": self.pipeline.database, "embedder": self.pipeline.embedder, "settings": self.pipeline.settings,
        }  # fmt: skip
        context = dg.build_sensor_context(
            instance=self.pipeline.instance, cursor=self.cursors.get(name), resources=resources
        )
        result: Any = defs.resolve_sensor_def(name)(context)
        self.cursors[name] = result.cursor
        return list(result.run_requests or [])

    def _run(self, number: int, hour: float, job: str, requests: list[dg.RunRequest]) -> int:
        for _ in requests:
            result = self.pipeline.run(job, as_of=Clock.as_of.isoformat())
            assert result.success, (number, hour, job)
            self.launched.append((number, hour, job))
            if not _did_something(job, result):
                self.idle.append((number, job))
        return len(requests)


DONE = {
    "read_the_day": ["rows_in"],
    "fetch_details": ["due", "judged_again"],
    "embed_texts": ["texts_embedded"],
    "publish": ["rows_out", "rows_removed"],
}


def _did_something(job: str, result: Any) -> bool:
    events = [event.step_materialization_data.materialization for event in result.get_asset_materialization_events()]
    events += result.get_asset_check_evaluations()
    return any(each.metadata[name].value for each in events for name in DONE[job] if name in each.metadata)


@pytest.fixture(scope="module")
def week(server: str, template: str) -> Iterator[Week]:
    """Live through it, once for the module."""
    patch = pytest.MonkeyPatch()
    for module in ("sensors", "schedules"):
        patch.setattr(f"movie_assets.orchestration.{module}.datetime", Clock)
    with (
        database_of_ones_own(server, template) as database,
        TmdbEmulator(EmulatorOptions(today=FIRST, rate_limit=0), world=MovingWorld(500, seed=5)) as tmdb_emulator,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        # A schedule opens its instance by reference, which one in memory has none of.
        patch.setattr(dg.ScheduleEvaluationContext, "instance", property(lambda _: instance))
        embedder = LocalEmbedder("hashing-v1", 64)
        lived = Week(Pipeline(database, settings_for(tmdb_emulator), instance, embedder, FIRST), tmdb_emulator)
        for number in range(7):
            lived.live(number)
        yield lived
    patch.undo()


JOBS = ("read_the_day", "fetch_details", "embed_texts", "publish")


def test_each_days_work_happens_once_in_its_order(week: Week) -> None:
    for number in range(7):
        jobs = [job for day, _, job in week.launched if day == number]
        assert jobs == [job for job in JOBS if job in jobs], number
        assert {"read_the_day", "fetch_details", "publish"} <= set(jobs), number


def test_it_happens_at_half_past_eight_and_on_the_late_day_when_the_export_is_there(week: Week) -> None:
    for number in range(7):
        assert {hour for day, hour, _ in week.launched if day == number} == {10.25 if number == LATE else 8.5}, number


def test_no_run_had_nothing_to_do(week: Week) -> None:
    assert week.idle == []


def test_a_day_costs_a_small_part_of_the_first(week: Week) -> None:
    assert week.calls[0] > 100
    assert all(0 < week.calls[number] < 0.6 * week.calls[0] for number in range(1, 7)), week.calls
