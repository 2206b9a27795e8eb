"""When a sensor launches, as a table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from movie_assets.orchestration.launch_decisions import (
    MAX_TRIES,
    Decision,
    Memory,
    Past,
    decide,
    orphans,
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
    assert len(in_vain(days=30)) == MAX_TRIES == 8
    decision = decide(10, Past(failed_at=NOW - timedelta(minutes=5999)), launched(6000, tries=8), NOW)
    assert decision.gave_up
    assert decision.reason.startswith("gave up: 10 are left after 8 runs in vain, the last at 01 Oct 08:00 UTC.")


def test_a_day_that_was_read_since_is_worth_one_try() -> None:
    assert len(in_vain(days=3, read_at=NOW + timedelta(days=1))) == MAX_TRIES + 1


def test_less_work_ends_giving_up() -> None:
    decision = decide(9, Past(), launched(6000, tries=9), NOW)
    assert (decision.launch, decision.gave_up, decision.memory.tries) == (True, False, 1)


def test_a_run_is_buried_when_two_looks_two_minutes_apart_found_no_lock() -> None:
    dead, seen = orphans({"a", "b"}, {}, NOW)
    assert dead == set()
    dead, seen = orphans({"a"}, seen, NOW + timedelta(seconds=90))
    assert dead == set()
    dead, seen = orphans({"a", "c"}, seen, NOW + timedelta(seconds=120))
    assert dead == {"a"}
    assert seen.keys() == {"c"}


def test_a_lock_that_came_back_ends_the_doubt() -> None:
    _, seen = orphans({"a"}, {}, NOW)
    _, seen = orphans(set(), seen, NOW + timedelta(minutes=1))
    dead, _ = orphans({"a"}, seen, NOW + timedelta(minutes=3))
    assert dead == set()
