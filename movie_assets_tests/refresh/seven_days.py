"""A week of the pipeline with its daemon running, on a clock that is moved: each day's work happens by itself, once.

All live in the same moved time: Python's processes by time-machine, Postgres by a small library that a C compiler
makes; both are in moved_clock. This process writes how far the clock is moved: it runs on by itself while something is
at work, and is moved when nothing is. Prints a line of JSON for each day, and returns 1 when a day's work was not done
once.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from movie_assets.database.embedded import embedded_postgres
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.orchestration.run_records import UNFINISHED

SOURCE = Path(__file__).parents[1] / "moved_clock" / "moved_clock.c"
SUNDAY = 7
HOURS = 25  # looks at health from one morning to the next, at most
SOMETHING_TO_DO = {  # figures of a run of which one is not 0
    "fetch_details": ("due", "judged_again"),
    "embed_texts": ("texts_embedded",),
    "publish": ("rows_out", "rows_removed"),
}
EVER = datetime.fromtimestamp(0, UTC)
BROKEN = """select coalesce(array_agg(concat_ws(': ', nullif(place, ''), name, says) order by alert_id), '{}')
from pipeline.alerts where ended_at is null and severity = 'ERROR'"""
BEFORE_WORK = timedelta(hours=8, minutes=29, seconds=40)
RATINGS = timedelta(hours=10, minutes=31)
LATE_DAY, LATE_UNTIL = 3, timedelta(hours=10, minutes=10)  # on one day TMDB publishes late


def what_is_missing() -> str | None:
    """What this machine lacks for moving clocks."""
    if shutil.which("cc") is None:
        return "there is no C compiler: apt-get install gcc libc6-dev"
    return None


@dataclass
class Clock:
    """The moved clock of all processes."""

    file: Path
    moved: float = 0.0

    def move(self, by: timedelta) -> None:
        """Move it on; the processes look at the file once a second."""
        self.moved += by.total_seconds()
        self.file.write_text(f"+{self.moved:.0f}")
        time.sleep(2.5)


@dataclass
class Week:
    """The deployment and what it did so far."""

    deployment: Any
    tmdb_emulator: TmdbEmulator
    clock: Clock
    seen: set[str] = field(default_factory=set)
    told_at: datetime = EVER

    def is_at_work(self) -> bool:
        """Whether a run has not ended."""
        import dagster as dg  # noqa: PLC0415

        return bool(self.deployment.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED), limit=1))

    def move_to(self, as_of: datetime) -> None:
        """Move the clock to a moment, in steps, so that what is due on the way comes in its order.

        It stands still for runs: one that had two hours behind it before it began would be taken for dead.
        """
        while (left := as_of - datetime.now(UTC)) > timedelta(seconds=30):
            if self.is_at_work():
                time.sleep(1)
            else:
                self.clock.move(min(left, timedelta(hours=2)))

    def wait_until_quiet(self, *, for_the_schedule: bool = False) -> None:
        """Let the triggers find what there is to do, until they found nothing more for four minutes of their time.

        The daemon looks at schedules once a minute of its own, unmoved time.
        """
        began, quiet = time.monotonic(), 0
        while for_the_schedule and time.monotonic() < began + 100 and not self.is_at_work():
            time.sleep(1)
        while quiet < 24:
            if self.is_at_work():
                quiet = 0
                time.sleep(1)
            else:
                quiet += 1
                self.clock.move(timedelta(seconds=10))

    def summary(self, day: datetime) -> dict[str, Any]:
        """What happened since the last summary."""
        from movie_assets_tests.soak.gauges import memory_of  # noqa: PLC0415  # it imports Dagster

        calls = Counter(self.tmdb_emulator.requests.get("movie", {}))
        self.tmdb_emulator.reset_counts()
        runs = [r for r in self.deployment.instance.get_run_records() if r.dagster_run.run_id not in self.seen]
        self.seen |= {record.dagster_run.run_id for record in runs}
        since, self.told_at = self.told_at, datetime.now(UTC)
        return {
            "day": day.date().isoformat(),
            "runs": [
                {
                    "job": record.dagster_run.job_name,
                    "at": record.create_timestamp.strftime("%d %H:%M:%S"),
                    "status": record.dagster_run.status.value,
                    "done": self._done(record.dagster_run.run_id),
                }
                for record in reversed(runs)
            ],
            "films_fetched": calls[200] + calls[404],
            "movies": self.deployment.one("select count(*) from catalog.movies"),
            "megabytes": {name: round(size, 1) for name, size in memory_of(self.deployment).items()},
            "left": {
                "due": self.deployment.one("select count(*) from pipeline.due_at(now())"),
                "given_up": self.deployment.one("select count(*) from pipeline.triggers where given_up_at is not null"),
            },
            "broken": self.deployment.one(BROKEN),
            "failed_ticks": failed_ticks(self.deployment.instance, since),
        }

    def _done(self, run_id: str) -> dict[str, Any]:
        """The figures in which a run says what it did."""
        figures: dict[str, Any] = {}
        names = {"due", "judged_again", "texts_embedded", "rows_out", "rows_removed", "export_date", "rows_differing",
                 "runs_deleted", "fetched"}  # fmt: skip
        for entry in self.deployment.instance.all_logs(run_id):
            event = entry.dagster_event
            if event is None:
                continue
            if event.event_type_value == "ASSET_CHECK_EVALUATION":
                metadata = event.asset_check_evaluation_data.metadata
            elif event.event_type_value == "ASSET_MATERIALIZATION":
                metadata = event.step_materialization_data.materialization.metadata
            else:
                continue
            for name in names & metadata.keys():
                value = metadata[name].value
                figures[name] = figures.get(name, 0) + value if isinstance(value, int) else value
        return figures


def failed_ticks(instance: Any, since: datetime) -> list[str]:
    """What sensors and schedules failed with since a moment."""
    from dagster._core.scheduler.instigation import TickStatus  # noqa: PLC0415

    failed = [
        (state.instigator_name, tick.error)
        for state in instance.all_instigator_state()
        for tick in instance.get_ticks(
            state.instigator_origin_id, state.selector_id, after=since.timestamp(), statuses=[TickStatus.FAILURE]
        )
    ]
    return [f"{name}: {error.message.strip() if error else 'it does not say why'}" for name, error in failed]


@contextmanager
def _moved_server(home: Path) -> Iterator[None]:
    """Postgres in moved time."""
    library = home / "moved_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)], check=True)  # noqa: S607
    os.environ["LD_PRELOAD"] = str(library)
    with embedded_postgres(home):
        del os.environ["LD_PRELOAD"]
        yield


def live(home: Path, days: int) -> Iterator[dict[str, Any]]:
    """Live through some days; tells of each."""
    from movie_assets_tests.deployment import deployed, free_ports  # noqa: PLC0415  # it imports Dagster

    clock = Clock(Path(os.environ["MOVED_CLOCK"]))
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today + timedelta(days=1)
    # So early that the first day is read before the schedule looks: two triggers that look in one second both launch.
    clock.moved = (first + BEFORE_WORK - timedelta(minutes=5) - datetime.now(UTC)).total_seconds()
    clock.move(timedelta(0))
    options = EmulatorOptions(movies=600, rate_limit=0)
    with (
        TmdbEmulator(options) as tmdb_emulator,
        _moved_server(home),
        deployed(home, tmdb_emulator, free_ports(), automation=True, tmdb_rate=0) as deployment,
    ):
        week = Week(deployment, tmdb_emulator, clock)
        for number in range(days):
            day = first + timedelta(days=number)
            if number == LATE_DAY:
                tmdb_emulator.faults = {"export_missing": 1.0}
            if number:
                week.move_to(day + BEFORE_WORK)
            week.wait_until_quiet(for_the_schedule=True)
            if number == LATE_DAY:
                week.move_to(day + LATE_UNTIL)
                tmdb_emulator.faults = {}
                clock.move(timedelta(minutes=6))
                week.wait_until_quiet(for_the_schedule=True)
            week.move_to(day + RATINGS)
            week.wait_until_quiet(for_the_schedule=True)
            week.move_to(day + timedelta(days=1) + BEFORE_WORK - timedelta(minutes=30))
            week.wait_until_quiet()
            yield {**week.summary(day), "is_first": number == 0, "is_late": number == LATE_DAY}


def wrong_with(summary: dict[str, Any]) -> list[str]:
    """What was not as a day should be: each job once, with something to do, nothing failed, left or broken.

    Health is looked at as often as the clock stood still within an hour. The day's films are published, and the scores
    again when the ratings were read. While the export is late, films that have grown old are fetched before it. Nobody
    has a history: `recommend` has nothing to do.
    """
    morrow = date.fromisoformat(summary["day"]) + timedelta(days=1)
    expected = {"read_the_day", "fetch_details", "embed_texts", "read_ratings", "replay_events"}
    # In the night after the day; and in the first night, as they were never done.
    expected |= {"reconcile"} if summary["is_first"] or morrow.isoweekday() == SUNDAY else set()
    expected |= {"clean_up"} if summary["is_first"] or morrow.day == 1 else set()
    launched = Counter(run["job"] for run in summary["runs"])
    wrong = []
    often = {"look_at_health": HOURS, "publish": 3, "fetch_details": 2, "embed_texts": 2}
    for job, most in (often if summary["is_late"] else {"look_at_health": HOURS, "publish": 2}).items():
        expected.discard(job)
        count = launched.pop(job, 0)
        wrong += [] if 1 <= count <= most else [f"{job}: {count} runs"]
    wrong += [
        f"{job}: {launched[job]} runs" for job in expected | launched.keys() if launched[job] != (job in expected)
    ]
    wrong += [f"{run['job']} ended as {run['status']}" for run in summary["runs"] if run["status"] != "SUCCESS"]
    for job, figures in SOMETHING_TO_DO.items():
        done = [run["done"] for run in summary["runs"] if run["job"] == job]
        wrong += [f"{job} had nothing to do" for each in done if not sum(each.get(name, 0) for name in figures)]
    read = [run["done"].get("export_date") for run in summary["runs"] if run["job"] == "read_the_day"]
    wrong += [f"the export of {used} was used" for used in read if used != summary["day"]]
    wrong += [f"{count} {what}" for what, count in summary["left"].items() if count]
    wrong += [f"broken: {alert}" for alert in summary["broken"]]
    return wrong + [f"a tick failed: {tick}" for tick in summary["failed_ticks"]]


@contextmanager
def moved_clock(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a process that lives in moved time."""
    file = folder / "moved"
    file.write_text("+0")
    paths = [str(SOURCE.parent), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    yield os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)), "MOVED_CLOCK": str(file),
        "DAGSTER_DAEMON_HEARTBEAT_TOLERANCE": str(10**7),
    }  # fmt: skip


def main(days: int = 7) -> int:
    """Begin again in moved time, or live through the days when that is where we are."""
    is_wrong = False
    if "MOVED_CLOCK" in os.environ:
        with tempfile.TemporaryDirectory(prefix="ma") as folder:
            Path(folder).chmod(0o755)  # the embedded server's user has to walk through it
            for summary in live(Path(folder), days):
                wrong = wrong_with(summary)
                is_wrong = is_wrong or bool(wrong)
                print(json.dumps({**summary, "wrong": wrong}), flush=True)
        return int(is_wrong)
    if missing := what_is_missing():
        print(missing, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="mc") as folder:
        Path(folder).chmod(0o755)
        with moved_clock(Path(folder)) as environment:
            command = [sys.executable, "-m", "movie_assets_tests.refresh.seven_days", str(days)]
            return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("days", type=int, nargs="?", default=7, metavar="DAYS", help="how many (default: 7)")
    sys.exit(main(parser.parse_args().days))
