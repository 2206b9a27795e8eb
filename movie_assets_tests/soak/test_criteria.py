"""The criteria of a soak: those that hold, those that do not, and those that need more days."""

from collections.abc import Callable
from typing import Any

import pytest

from movie_assets_tests.chaos.truth import Differences as Truth
from movie_assets_tests.soak import criteria
from movie_assets_tests.soak.gauges import Table, histories
from movie_assets_tests.soak.life import Day
from movie_assets_tests.soak.report import markdown

TRUE = Truth(0, 0, 0)
MEMORY: dict[str, float] = dict.fromkeys(("daemon", "web", "code", "postgres", "buffers"), 200.0)
STEADY: dict[str, Any] = {"memory": MEMORY, "tables": {}, "most_wal": 200.0}


def days(count: int, **gauges: Callable[[int], Any]) -> list[Day]:
    """So many days whose gauges are functions of their number."""
    usual: dict[str, Callable[[int], Any]] = {
        "catalogue": lambda n: 500.0 + n, "histories": lambda n: 50.0 + n, "records": lambda n: 10.0 + 2 * n,
        "files": lambda _: 1.0, "wal": lambda _: 100.0,
    }  # fmt: skip
    return [
        Day(
            f"2026-11-{number + 1:02}",
            films=1000,
            tries={"publish": 1},
            troubles={"5xx": 1},
            gauges=STEADY | {name: gauge(number) for name, gauge in (usual | gauges).items()},
        )
        for number in range(count)
    ]


def held(lived: list[Day], truth: Truth = TRUE, differing: int = 0, **tables: Table) -> dict[str, bool | None]:
    return {v.what: v.holds for v in criteria.all_criteria(lived, truth, 9, differing, tables)}


def test_a_steady_month_holds() -> None:
    assert set(held(days(30)).values()) == {True}


@pytest.mark.parametrize(
    ("name", "gauge", "what"),
    [
        ("memory", lambda n: MEMORY | {"web": 200 + 1.5 * n}, "memory of web is flat"),
        ("memory", lambda n: MEMORY | {"postgres": 25 + 0.3 * n}, "memory of postgres beside its buffers is flat"),
        ("catalogue", lambda n: 500.0 + 5 * n, "the catalogue beside its histories hardly grows"),
        ("wal", lambda n: 150.0 + 2 * n, "WAL keeps to its size"),
        ("histories", lambda n: 50.0 + n * n / 60, "histories grow evenly"),
        ("records", lambda n: 10.0 + n * n, "Dagster's records grow evenly"),
        ("files", lambda n: 9.0 * n, "files beside the databases hardly grow"),
    ],
)
def test_growth_day_by_day_does_not_hold(name: str, gauge: Callable[[int], Any], what: str) -> None:
    assert [each for each, holds in held(days(30, **{name: gauge})).items() if not holds] == [what]


def test_buffers_that_still_fill_are_no_growth() -> None:
    filling = days(30, memory=lambda n: MEMORY | {"buffers": 100.0 + 20 * n})
    assert set(held(filling).values()) == {True}


def test_a_leap_near_the_end_is_no_growth() -> None:
    leaping = days(30, memory=lambda n: MEMORY | {"daemon": 180.0 if n < 28 else 200})
    assert held(leaping)["memory of daemon is flat"]


def test_a_few_days_tell_nothing_of_growth() -> None:
    found = held(days(4, files=lambda n: 99.0 * n))
    assert found["files beside the databases hardly grow"] is None
    assert found["the catalogue is the emulator's truth"]


def test_harm_to_the_truth_does_not_hold() -> None:
    for harm in (Truth(1, 0, 0), Truth(0, 1, 0), Truth(0, 0, 1)):
        assert not held(days(30), harm)["the catalogue is the emulator's truth"]
    assert not held(days(30), differing=1)["the catalogue is the emulator's truth"]
    assert not held(days(30), differing=-1)["the catalogue is the emulator's truth"]


def test_a_trouble_that_never_struck_does_not_hold_and_one_that_struck_once_does() -> None:
    lived = days(30)
    lived[3].troubles = {"a run is killed in publish": 0}
    assert not held(lived)["every kind of trouble struck"]
    lived[4].troubles = {"a run is killed in embed_texts": 1}
    assert held(lived)["every kind of trouble struck"]


def test_a_failed_job_and_an_ended_process_do_not_hold_and_a_day_without_its_source_does() -> None:
    lived = days(30)
    lived[3].excused = ["read_the_day"]
    assert set(held(lived).values()) == {True}
    lived[4].failed, lived[5].restarted = ["publish"], ["daemon"]
    assert [what for what, holds in held(lived).items() if not holds] == [
        "each job ended well on its day, but for days without a source",
        "daemon, web and code server stayed up",
    ]


def test_a_table_with_more_dead_rows_than_autovacuum_leaves_is_a_pile() -> None:
    assert held(days(30), a=Table(10_000, 3_000, 1, 1))["no table keeps a pile of dead rows"]
    assert not held(days(30), a=Table(10_000, 3_001, 1, 1))["no table keeps a pile of dead rows"]


def test_histories_are_what_the_clean_up_empties() -> None:
    assert {"pipeline.run_log", "catalog.title_stats_history"} <= histories()
    assert "catalog.movies" not in histories()


def test_the_report_has_the_last_day_and_every_verdict() -> None:
    lived = days(30)
    everything = criteria.all_criteria(lived, Truth(0, 0, 1), 9, 0, {})
    run = {"movies": 1000, "seconds": 60, "cores": 2, "seed": 1, "day": "2026-11-25", "load": 0.1, "commit": "a"}
    lines = markdown(lived, everything, run).splitlines()
    assert any(line.startswith("| 2026-11-30 |") for line in lines)
    assert sum("| yes |" in line for line in lines) == len(everything) - 1
    assert sum("| **no** |" in line for line in lines) == 1
