"""What the week in moved time calls wrong, on days made up by hand; living through it is `-m daemon`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.scheduler.instigation import TickStatus

from movie_assets.database.database import Database
from movie_assets_tests.operations.alerts.test_observations import put_sensor
from movie_assets_tests.refresh.seven_days import BROKEN, failed_ticks, wrong_with

DONE = {"due": 1, "texts_embedded": 1, "rows_out": 1}


def summary(day: str, *jobs: str, is_first: bool = False, is_late: bool = False) -> dict[str, Any]:
    runs = [
        {"job": job, "status": "SUCCESS", "done": {**DONE, **({"export_date": day} if job == "read_the_day" else {})}}
        for job in ("read_the_day", "fetch_details", "embed_texts", "publish", "read_ratings", "replay_events", *jobs)
    ]
    left = {"due": 0, "given_up": 0}
    return {
        "day": day, "runs": runs, "left": left, "broken": [], "failed_ticks": [],
        "is_first": is_first, "is_late": is_late,
    }  # fmt: skip


WEDNESDAY, SATURDAY, LAST = "2026-11-25", "2026-11-28", "2026-12-31"
LOOK = "look_at_health"


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (summary(WEDNESDAY, LOOK), []),
        (summary(WEDNESDAY, *[LOOK] * 12), []),
        (summary(WEDNESDAY), ["look_at_health: 0 runs"]),
        (summary(WEDNESDAY, *[LOOK] * 26), ["look_at_health: 26 runs"]),
        (summary(WEDNESDAY, LOOK, "publish"), []),
        (summary(WEDNESDAY, LOOK, "publish", "publish"), ["publish: 3 runs"]),
        (summary(WEDNESDAY, LOOK, "publish", "publish", "fetch_details", is_late=True), []),
        (summary(WEDNESDAY, LOOK, "fetch_details"), ["fetch_details: 2 runs"]),
        (summary(WEDNESDAY, LOOK, "recommend"), ["recommend: 1 runs"]),
        (summary(WEDNESDAY, LOOK, "read_ratings"), ["read_ratings: 2 runs"]),
        (summary(WEDNESDAY, LOOK, "reconcile", "clean_up", is_first=True), []),
        (summary(SATURDAY, LOOK, "reconcile"), []),
        (summary(SATURDAY, LOOK), ["reconcile: 0 runs"]),
        (summary(LAST, LOOK, "clean_up"), []),
    ],
)
def test_each_job_is_expected_once_and_looks_at_health_by_the_hour(day: dict[str, Any], expected: list[str]) -> None:
    assert wrong_with(day) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"left": {"due": 3, "given_up": 0}}, "3 due"),
        ({"broken": ["health: nothing_is_broken: disk: 1 GB is free"]}, "broken: health: nothing_is_broken: disk"),
        ({"failed_ticks": ["details_are_due: KeyError"]}, "a tick failed: details_are_due: KeyError"),
    ],
)
def test_work_left_broken_alerts_and_failed_ticks_are_reported(found: dict[str, Any], expected: str) -> None:
    (wrong,) = wrong_with(summary(WEDNESDAY, LOOK) | found)
    assert wrong.startswith(expected)


def test_ticks_that_failed_since_the_last_look_are_found() -> None:
    with dg.instance_for_test() as instance:  # one in memory keeps no ticks
        put_sensor(instance, "details_are_due", [TickStatus.SKIPPED, TickStatus.FAILURE, TickStatus.SKIPPED])
        put_sensor(instance, "texts_are_not_embedded", [TickStatus.FAILURE], age=timedelta(hours=2))
        found = failed_ticks(instance, datetime.now(UTC) - timedelta(hours=1))
    assert [tick.split(":")[0] for tick in found] == ["details_are_due"]


def test_an_error_that_is_open_is_found_and_no_warning(database: Database) -> None:
    of_an_alert = {"kind": "check", "place": "health", "expected": "", "figures": "{}", "evidence": "", "link": "",
                   "began_at": datetime.now(UTC), "as_of": datetime.now(UTC)}  # fmt: skip
    for name, severity in (("nothing_is_broken", "ERROR"), ("nothing_needs_a_look", "WARN")):
        database.execute("begin_alert", name=name, severity=severity, message="why", **of_an_alert)
    with database.engine.connect() as connection:
        assert connection.scalar(sa.text(BROKEN.replace(":", r"\:"))) == ["health: nothing_is_broken: why"]
