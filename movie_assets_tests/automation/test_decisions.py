"""When a sensor launches, as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from movie_assets.automation.decisions import Memory, decide

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
        (10, False, launched(359, tries=50), False),
        (10, False, launched(360, tries=50), True),
        (11, False, launched(1), False),
        (9, False, launched(1), True),
    ],
)
def test_a_sensor_launches_when_there_is_work_that_nobody_does(
    work: int, in_flight: bool, memory: Memory, launches: bool
) -> None:
    assert decide(work, in_flight, memory, NOW).launch is launches


def test_a_launch_is_remembered_with_its_work() -> None:
    assert decide(7, False, Memory(), NOW).memory == Memory(7, 1, NOW.isoformat())


def test_each_try_in_vain_is_counted() -> None:
    assert decide(10, False, launched(60, tries=3), NOW).memory.tries == 4


def test_progress_starts_the_count_again() -> None:
    assert decide(9, False, launched(1, tries=5), NOW).memory.tries == 1


def test_finished_work_is_forgotten() -> None:
    assert decide(0, False, launched(1, tries=5), NOW).memory == Memory()


def test_waiting_keeps_the_memory_and_tells_the_next_try() -> None:
    memory = launched(1)
    decision = decide(10, False, memory, NOW)
    assert decision.memory == memory
    assert decision.reason == "10 were left by the last run; next try at 12:04 UTC"


def test_work_in_vain_is_tried_after_5_10_20_and_40_minutes() -> None:
    now, last, memory = NOW, NOW, Memory()
    waits: list[float] = []
    while len(waits) < 5:
        decision = decide(10, False, memory, now)
        if decision.launch:
            waits.append((now - last).total_seconds() / 60)
            last = now
        memory, now = decision.memory, now + timedelta(seconds=30)
    assert waits == [0, 5, 10, 20, 40]


def test_a_memory_survives_the_cursor() -> None:
    memory = launched(3, tries=2)
    assert Memory.read(memory.write()) == memory
    assert Memory.read(None) == Memory.read("") == Memory()
