"""When the clock's triggers launch, as tables: a day, and what is done once in a while."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from movie_assets.orchestration.launch_decisions import (
    MAX_TRIES,
    Decision,
    Runs,
    decide_day,
    decide_once,
)
from movie_assets.runs.upkeep import daily, monthly, weekly

HALF_PAST_EIGHT = datetime(2026, 10, 5, 8, 30, tzinfo=UTC)
NEVER = Runs()


def looked(at: str, runs: Runs = NEVER, *, is_loaded: bool = False, missing: str | None = None) -> Decision:
    hour, minute = map(int, at.split(":"))
    return decide_day(
        HALF_PAST_EIGHT.replace(hour=hour, minute=minute), runs, is_loaded=is_loaded, missing=lambda: missing
    )


def ran(read: str | None = None, failed: str | None = None, times: int = 0, *, in_flight: bool = False) -> Runs:
    moments = [HALF_PAST_EIGHT.replace(hour=int(at[:2]), minute=int(at[3:])) if at else None for at in (read, failed)]
    return Runs(in_flight, int(bool(read)), moments[0], times, moments[1])


@pytest.mark.parametrize(
    ("at", "runs", "is_loaded", "missing", "launches"),
    [
        ("08:30", NEVER, False, None, True),
        ("08:30", NEVER, False, "late", False),
        ("12:15", NEVER, False, "late", False),
        ("12:30", NEVER, False, "late", True),
        ("08:45", ran(in_flight=True), False, None, False),
        ("08:45", ran(read="08:30"), True, None, False),
        ("08:30", ran(read="05:00"), False, None, True),  # an empty catalogue took yesterday's at once
        ("08:30", ran(read="05:00"), True, None, False),
        ("09:00", ran(read="08:40"), False, "late", False),
        ("09:00", ran(read="08:40"), False, None, True),  # read by hand while it was late; now it is there
        ("13:00", ran(read="12:30"), False, None, False),
        ("08:45", ran(read="08:41"), False, None, False),  # the day's is there, but was damaged
        ("08:46", ran(read="08:41"), False, None, True),
        ("09:00", ran(read="08:50", failed="08:41", times=2), False, None, False),
        ("08:45", ran(failed="08:41", times=1), False, None, False),
        ("08:45", ran(failed="08:40", times=1), False, None, True),
        ("09:00", ran(failed="08:45", times=3), False, None, False),
        ("23:45", ran(failed="09:00", times=8), False, None, False),
    ],
)
def test_a_day_is_read_once_when_its_export_is_there(
    at: str, runs: Runs, is_loaded: bool, missing: str | None, launches: bool
) -> None:
    assert looked(at, runs, is_loaded=is_loaded, missing=missing).launch is launches


def test_a_late_export_says_that_it_is_waited_for() -> None:
    assert looked("09:15", missing="TMDB has no export yet").reason == "TMDB has no export yet; waiting until 12:30 UTC"


def test_tmdb_is_asked_only_when_the_answer_decides() -> None:
    def never() -> str | None:
        raise AssertionError

    for runs, loaded in (
        (ran(read="08:30"), True),
        (ran(in_flight=True), False),
        (ran(failed="08:44", times=1), False),
    ):
        decide_day(HALF_PAST_EIGHT.replace(minute=45), runs, is_loaded=loaded, missing=never)


def test_a_day_that_failed_eight_times_is_given_up() -> None:
    decision = looked("20:00", ran(failed="19:00", times=8))
    assert (decision.launch, decision.gave_up) == (False, True)


def test_an_export_that_stays_damaged_is_tried_with_growing_distance_until_an_older_one_will_do() -> None:
    now, runs, launches = HALF_PAST_EIGHT, NEVER, []
    while now.date() == HALF_PAST_EIGHT.date():
        if decide_day(now, runs, is_loaded=False, missing=lambda: None).launch:
            launches.append(f"{now:%H:%M}")
            runs = Runs(done=runs.done + 1, done_at=now)
        now += timedelta(minutes=15)
    assert launches == ["08:30", "08:45", "09:00", "09:30", "10:15", "11:45", "14:30"]


FOUR = datetime(2026, 10, 7, 4, tzinfo=UTC)
SUNDAY = datetime(2026, 10, 4, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("runs", "launches"),
    [
        (Runs(), True),  # never done, or slept through
        (Runs(done=1, done_at=SUNDAY), False),
        (Runs(in_flight=True), False),
        (Runs(in_vain=1, last_in_vain=FOUR - timedelta(days=1)), True),
        (Runs(in_vain=1, last_in_vain=FOUR - timedelta(minutes=4)), False),
        (Runs(in_vain=4, last_in_vain=FOUR - timedelta(minutes=39)), False),
        (Runs(done=1, done_at=FOUR, in_vain=2, last_in_vain=SUNDAY), False),
        (Runs(in_vain=8, last_in_vain=SUNDAY), False),
    ],
)
def test_what_is_due_once_is_done_once_and_tried_again_when_it_failed(runs: Runs, launches: bool) -> None:
    decision = decide_once(FOUR, SUNDAY, runs)
    assert decision.launch is launches
    assert decision.gave_up is (runs.in_vain == MAX_TRIES)


HOURLY = [SUNDAY.replace(hour=hour, minute=30) for hour in range(10, 24)]


@pytest.mark.parametrize(
    ("ticks", "since", "launches"),
    [
        (HOURLY, daily, [f"04 {at}" for at in ("10:30", "11:30", "12:30", "13:30", "14:30", "16:30", "19:30")]),
        ([SUNDAY + timedelta(days=day) for day in range(7)], weekly, [f"{day:02} 04:00" for day in range(4, 11)]),
        (
            [datetime(2026, 10, day, 3, tzinfo=UTC) for day in range(1, 32)],
            monthly,
            [f"{day:02} 03:00" for day in range(1, 9)],
        ),
    ],
)
def test_upkeep_that_keeps_failing_is_tried_at_the_looks_that_its_distances_allow(
    ticks: list[datetime], since: Callable[[datetime], datetime], launches: list[str]
) -> None:
    ends: list[datetime] = []
    for tick in ticks:
        runs = Runs(in_vain=len(ends), last_in_vain=max(ends, default=None))
        if decide_once(tick, since(tick), runs).launch:
            ends.append(tick + timedelta(minutes=1))
    assert [f"{end - timedelta(minutes=1):%d %H:%M}" for end in ends] == launches


@pytest.mark.parametrize(
    ("tick", "since"),
    [("2026-10-04T04:00", "2026-10-04"), ("2026-10-10T04:00", "2026-10-04"), ("2026-10-11T04:00", "2026-10-11")],
)
def test_a_recount_is_due_since_the_last_sunday(tick: str, since: str) -> None:
    assert weekly(datetime.fromisoformat(tick)) == datetime.fromisoformat(f"{since}T04:00")


def test_a_clean_up_is_due_since_the_first_and_ratings_since_half_past_ten() -> None:
    tick = datetime.fromisoformat("2026-10-31T23:30")
    assert monthly(tick) == datetime.fromisoformat("2026-10-01T03:00")
    assert daily(tick) == datetime.fromisoformat("2026-10-31T10:30")
