"""When a sensor launches, as a table."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from movie_assets.automation.decisions import (
    MOST_TRIES,
    Decision,
    Memory,
    Past,
    Runs,
    daily,
    decide,
    decide_day,
    decide_once,
    monthly,
    to_bury,
    weekly,
)

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)


def launched(minutes_ago: float, work: int = 10, tries: int = 1) -> Memory:
    """What is remembered of a launch some minutes before NOW."""
    return Memory(work, tries, (NOW - timedelta(minutes=minutes_ago)).isoformat())


@pytest.mark.parametrize(
    ("work", "in_flight", "memory", "launches"),
    [
        (0, False, Memory(), False),
        (0, True, Memory(), False),
        (0, False, launched(1), False),
        (10, False, Memory(), True),
        (10, True, Memory(), False),
        (10, True, launched(600), False),
        (10, False, launched(4.9), False),
        (10, False, launched(5), True),
        (10, False, launched(9.9, tries=2), False),
        (10, False, launched(10, tries=2), True),
        (10, False, launched(19.9, tries=3), False),
        (10, False, launched(20, tries=3), True),
        (10, False, launched(319, tries=7), False),
        (10, False, launched(320, tries=7), True),
        (10, False, launched(100_000, tries=8), False),
        (11, False, launched(1), False),
        (9, False, launched(1), True),
    ],
)
def test_a_sensor_launches_when_there_is_work_that_nobody_does(
    work: int, in_flight: bool, memory: Memory, launches: bool
) -> None:
    assert decide(work, Past(in_flight=in_flight), memory, NOW).launch is launches


def test_a_launch_is_remembered_with_its_work() -> None:
    assert decide(7, Past(), Memory(), NOW).memory == Memory(7, 1, NOW.isoformat())


def test_each_try_in_vain_is_counted() -> None:
    assert decide(10, Past(), launched(60, tries=3), NOW).memory.tries == 4


def test_progress_starts_the_count_again() -> None:
    assert decide(9, Past(), launched(1, tries=5), NOW).memory.tries == 1


def test_finished_work_is_forgotten() -> None:
    assert decide(0, Past(), launched(1, tries=5), NOW).memory == Memory()


def test_waiting_keeps_the_memory_and_tells_the_next_try() -> None:
    memory = launched(1)
    decision = decide(10, Past(), memory, NOW)
    assert decision.memory == memory
    assert decision.reason == "10 were left by the last run; next try at 12:04 UTC"


def test_work_in_vain_is_tried_after_5_10_20_and_40_minutes() -> None:
    now, last, memory = NOW, NOW, Memory()
    waits: list[float] = []
    while len(waits) < 5:
        decision = decide(10, Past(), memory, now)
        if decision.launch:
            waits.append((now - last).total_seconds() / 60)
            last = now
        memory, now = decision.memory, now + timedelta(seconds=30)
    assert waits == [0, 5, 10, 20, 40]


def test_a_memory_survives_the_cursor() -> None:
    memory = replace(launched(3, tries=2), first_id=7)
    assert Memory.read(memory.write()) == memory
    assert Memory.read(None) == Memory.read("") == Memory()


@pytest.mark.parametrize(
    ("first_id", "work", "launches"),
    [
        (7, 10, False),  # the same film is still there, whatever came behind it …
        (7, 500, False),
        (8, 10, True),  # … it was done, or there is another before it: the work is new
        (8, 500, True),
        (6, 10, True),
        (None, 10, False),  # only the amounts tell
        (7, 9, True),
    ],
)
def test_work_is_new_where_another_film_is_its_first(first_id: int | None, work: int, launches: bool) -> None:
    memory = replace(launched(1, tries=8), first_id=7)
    decision = decide(work, Past(), memory, NOW, first_id)
    assert decision.launch is launches
    assert not launches or decision.memory == Memory(work, 1, NOW.isoformat(), first_id)


def test_a_run_that_failed_counts_though_another_film_is_first() -> None:
    memory = replace(launched(1), first_id=7)
    assert not decide(10, Past(failed_at=NOW), memory, NOW, first_id=8).launch


def test_a_try_again_remembers_what_is_first_now() -> None:
    memory = replace(launched(60), first_id=7)
    again = decide(12, Past(failed_at=NOW - timedelta(minutes=50)), memory, NOW, first_id=8)
    assert again.memory == Memory(12, 2, NOW.isoformat(), 8)


def test_a_cursor_that_knows_of_no_ids_is_read_and_goes_by_the_amounts() -> None:
    memory = Memory.read('{"work": 10, "tries": 3, "launched_at": "2026-10-05T11:59:00+00:00"}')
    assert not decide(10, Past(), memory, NOW, first_id=8).launch
    assert decide(9, Past(), memory, NOW, first_id=8).launch


def test_a_run_that_failed_counts_though_it_it_made_the_work_less() -> None:
    memory = launched(1, work=10)
    assert decide(4, Past(), memory, NOW).launch
    assert not decide(4, Past(failed_at=NOW), memory, NOW).launch


def test_the_wait_after_a_run_in_vain_counts_from_its_end() -> None:
    hour_long = launched(60)
    decision = decide(10, Past(failed_at=NOW - timedelta(minutes=1)), hour_long, NOW)
    assert (decision.launch, decision.reason) == (False, "10 were left by the last run; next try at 12:04 UTC")
    again = decide(10, Past(failed_at=NOW - timedelta(minutes=5)), hour_long, NOW)
    assert (again.launch, again.memory.tries) == (True, 2)


def test_a_run_in_vain_that_is_not_remembered_is_the_first_try() -> None:
    past = Past(failed_at=NOW - timedelta(minutes=4))
    waiting = decide(10, past, Memory(), NOW)
    assert (waiting.launch, waiting.memory.tries) == (False, 1)
    again = decide(10, past, waiting.memory, NOW + timedelta(minutes=1))
    assert (again.launch, again.memory.tries) == (True, 2)


def test_work_that_a_run_upstream_still_moves_is_waited_for() -> None:
    decision = decide(10, Past(waits_for="fetch_details"), launched(600), NOW)
    assert (decision.launch, decision.reason) == (False, "10 to do when fetch_details has ended")


def in_vain(days: float, read_at: datetime | None = None) -> list[Decision]:
    """The launches of some days in which every run fails."""
    now, memory, launches = NOW, Memory(), []
    while now < NOW + timedelta(days=days):
        read = read_at if read_at is not None and read_at <= now else None
        failed = memory.launched + timedelta(seconds=20) if memory.launched else None
        decision = decide(10, Past(failed_at=failed, read_at=read), memory, now)
        launches += [decision] if decision.launch else []
        memory, now = decision.memory, now + timedelta(minutes=1)
    return launches


def test_after_eight_tries_in_vain_a_trigger_gives_up() -> None:
    assert len(in_vain(days=30)) == MOST_TRIES == 8
    decision = decide(10, Past(failed_at=NOW - timedelta(minutes=5999)), launched(6000, tries=8), NOW)
    assert decision.gave_up
    assert decision.reason.startswith("gave up: 10 are left after 8 runs in vain, the last at 01 Oct 08:00 UTC.")


def test_a_day_that_was_read_since_is_worth_one_try() -> None:
    assert len(in_vain(days=3, read_at=NOW + timedelta(days=1))) == MOST_TRIES + 1


def test_less_work_ends_giving_up() -> None:
    decision = decide(9, Past(), launched(6000, tries=9), NOW)
    assert (decision.launch, decision.gave_up, decision.memory.tries) == (True, False, 1)


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
    assert decision.gave_up is (runs.in_vain == MOST_TRIES)


HOURLY = [SUNDAY.replace(hour=hour, minute=30) for hour in range(10, 24)]


@pytest.mark.parametrize(
    ("looks", "since", "launches"),
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
    looks: list[datetime], since: Callable[[datetime], datetime], launches: list[str]
) -> None:
    ends: list[datetime] = []
    for look in looks:
        runs = Runs(in_vain=len(ends), last_in_vain=max(ends, default=None))
        if decide_once(look, since(look), runs).launch:
            ends.append(look + timedelta(minutes=1))
    assert [f"{end - timedelta(minutes=1):%d %H:%M}" for end in ends] == launches


@pytest.mark.parametrize(
    ("look", "since"),
    [("2026-10-04T04:00", "2026-10-04"), ("2026-10-10T04:00", "2026-10-04"), ("2026-10-11T04:00", "2026-10-11")],
)
def test_a_recount_is_due_since_the_last_sunday(look: str, since: str) -> None:
    assert weekly(datetime.fromisoformat(look)) == datetime.fromisoformat(f"{since}T04:00")


def test_a_clean_up_is_due_since_the_first_and_ratings_since_half_past_ten() -> None:
    look = datetime.fromisoformat("2026-10-31T23:30")
    assert monthly(look) == datetime.fromisoformat("2026-10-01T03:00")
    assert daily(look) == datetime.fromisoformat("2026-10-31T10:30")


def test_a_run_is_buried_when_two_looks_two_minutes_apart_found_no_lock() -> None:
    dead, seen = to_bury({"a", "b"}, {}, NOW)
    assert dead == set()
    dead, seen = to_bury({"a"}, seen, NOW + timedelta(seconds=90))
    assert dead == set()
    dead, seen = to_bury({"a", "c"}, seen, NOW + timedelta(seconds=120))
    assert dead == {"a"}
    assert seen.keys() == {"c"}


def test_a_lock_that_came_back_ends_the_doubt() -> None:
    _, seen = to_bury({"a"}, {}, NOW)
    _, seen = to_bury(set(), seen, NOW + timedelta(minutes=1))
    dead, _ = to_bury({"a"}, seen, NOW + timedelta(minutes=3))
    assert dead == set()
