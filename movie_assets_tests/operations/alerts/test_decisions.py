"""What broke, what recovered and what stands still, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from movie_assets.operations.alerts.decisions import (
    EndedRun,
    Instigator,
    Observations,
    OpenAlert,
    Problem,
    Subject,
    changes,
    instigator_problem,
    is_stalled,
    steady_since,
    unresolved_failures,
)

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CHECK = Subject("check", "movie_vectors", "the_index_is_valid")
JOB = Subject("job", "", "publish")
DETAILS = frozenset({"movie_details"})


def batches(first: int, last: int) -> frozenset[str]:
    return frozenset(f"batch_{n:02}" for n in range(first, last + 1))


ALL, ONE, LOW, HIGH = batches(0, 63), batches(5, 5), batches(0, 15), batches(16, 63)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def problem(subject: Subject, evidence: str = "1") -> Problem:
    return Problem(subject, "ERROR", "", NOW, "", evidence)


def look(*broken: Problem, well: tuple[Subject, ...] = (), known: bool = True) -> Observations:
    return Observations(broken, well, lambda _: known)


def test_what_was_not_broken_before_begins() -> None:
    found = changes(look(problem(CHECK)), {})
    assert [t.subject for t in found.begun] == [CHECK]
    assert not [*found.renewed, *found.recovered, *found.removed]


def test_what_is_still_broken_is_renewed_only_by_other_evidence() -> None:
    before = {CHECK: OpenAlert(7, "1")}
    assert changes(look(problem(CHECK, "1")), before).renewed == []
    assert [alert for alert, _ in changes(look(problem(CHECK, "2")), before).renewed] == [7]


@pytest.mark.parametrize(
    ("seen", "recovered", "gone"),
    [(look(well=(CHECK,)), [7], []), (look(), [], []), (look(known=False), [], [7]), (look(well=(JOB,)), [], [])],
)
def test_only_what_was_seen_well_has_recovered(seen: Observations, recovered: list[int], gone: list[int]) -> None:
    found = changes(seen, {CHECK: OpenAlert(7, "1")})
    assert (found.recovered, found.removed) == (recovered, gone)


def run(minutes_ago: float, *, failed: bool, name: str = "fetch_details", **changes_: object) -> EndedRun:
    values: dict[str, object] = {"assets": DETAILS, "batches": frozenset(), "root_id": "", **changes_}
    return EndedRun(run_id=str(minutes_ago), name=name, ended_at=ago(minutes_ago), failed=failed, **values)  # type: ignore[arg-type]


def test_ten_failed_tries_are_one_broken_job_since_the_first() -> None:
    broken, well = unresolved_failures([run(60, failed=False), *(run(n, failed=True) for n in range(10))])
    assert set(broken) == {"fetch_details"}
    last, since = broken["fetch_details"]
    assert (last.run_id, since, well) == ("0", ago(9), set())


@pytest.mark.parametrize(
    ("later", "is_over"),
    [
        (run(1, failed=False, batches=ALL), True),
        (run(1, failed=False, batches=ALL, name="fetch_missing"), True),
        (run(1, failed=False, batches=ALL, name="assets movie_details"), True),
        (run(1, failed=False, batches=ALL, name="publish", assets=frozenset({"movie_vectors"})), False),
        (run(1, failed=False, batches=ONE, name="fetch_missing"), False),
        (run(1, failed=False, batches=ONE, name="fetch_missing", root_id="10"), True),
        (run(11, failed=False, batches=ALL, name="fetch_missing"), False),
        (run(1, failed=True, batches=ALL, name="fetch_missing"), False),
    ],
)
def test_a_failure_is_over_when_all_of_it_was_done_later(later: EndedRun, is_over: bool) -> None:
    broken, well = unresolved_failures([run(10, failed=True, batches=ALL), later])
    assert ("fetch_details" in well) is is_over
    assert ("fetch_details" in broken) is not is_over


def test_a_range_that_failed_is_not_hidden_by_the_others() -> None:
    runs = [run(10, failed=True, batches=LOW), run(8, failed=True, batches=LOW), run(7, failed=False, batches=HIGH)]
    broken, well = unresolved_failures(runs)
    last, since = broken["fetch_details"]
    assert (last.run_id, since, well) == ("8", ago(10), set())
    assert unresolved_failures([*runs, run(6, failed=False, batches=ALL)]) == ({}, {"fetch_details"})
    later = [*runs, run(6, failed=True, batches=ONE)]
    last, since = unresolved_failures(later)[0]["fetch_details"]
    assert (last.run_id, since) == ("6", ago(10))


def test_a_range_that_failed_may_be_made_up_for_in_parts() -> None:
    runs = [run(10, failed=True, batches=ALL), run(9, failed=False, batches=LOW)]
    assert "fetch_details" in unresolved_failures(runs)[0]
    assert unresolved_failures([*runs, run(8, failed=False, batches=HIGH)]) == ({}, {"fetch_details"})


def test_a_failure_after_a_success_on_more_batches_is_a_new_one() -> None:
    runs = [run(9, failed=True, batches=LOW), run(8, failed=False, batches=ALL), run(7, failed=True, batches=LOW)]
    assert unresolved_failures(runs)[0]["fetch_details"][1] == ago(7)


def test_assets_of_a_failure_may_be_made_up_for_by_several_runs() -> None:
    failure = run(10, failed=True, name="assets a, b", assets=frozenset("ab"))
    a, b = (run(n, failed=False, name=name, assets=frozenset(name)) for n, name in ((2, "a"), (1, "b")))
    assert "assets a, b" in unresolved_failures([failure, a])[0]
    assert "assets a, b" in unresolved_failures([failure, a, b])[1]


def test_a_run_of_which_no_assets_are_known_is_over_when_it_succeeds_again() -> None:
    failure = run(10, failed=True, name="old", assets=frozenset())
    assert "old" in unresolved_failures([failure, run(1, failed=False)])[0]
    assert "old" in unresolved_failures([failure, run(1, failed=False, name="old", assets=frozenset())])[1]


SENSOR = Subject("sensor", "", "details_are_due")
SCHEDULE = Subject("schedule", "", "read_the_day_at_0830")
HALF_A_MINUTE = timedelta(seconds=30)


def sensor(failed: list[bool], ticked: float = 0.5, *, is_on: bool = True) -> Instigator:
    return Instigator(SENSOR, is_on, failed, ago(ticked), "boom", HALF_A_MINUTE)


@pytest.mark.parametrize(
    ("instigator", "severity"),
    [
        (sensor([False]), None),
        (sensor([True, True, False]), None),
        (sensor([True, True]), None),
        (sensor([True, True, True, False]), "ERROR"),
        (sensor([False, True, True, True]), None),
        (sensor([False], is_on=False), "WARN"),
        (sensor([False], 9.9), None),
        (sensor([False], 10.1), "ERROR"),
        (Instigator(SENSOR, is_on=True, tick_failures=[], ticked_at=None, interval=HALF_A_MINUTE), None),
        (Instigator(SENSOR, is_on=True, tick_failures=[False], ticked_at=ago(40), interval=timedelta(minutes=5)), None),
        (
            Instigator(SENSOR, is_on=True, tick_failures=[False], ticked_at=ago(51), interval=timedelta(minutes=5)),
            "ERROR",
        ),
        (Instigator(SCHEDULE, is_on=True, tick_failures=[True, False], ticked_at=ago(700), error="boom"), "ERROR"),
        (
            Instigator(SCHEDULE, is_on=True, tick_failures=[True], ticked_at=ago(700), job_succeeded_at=ago(701)),
            "ERROR",
        ),
        (Instigator(SCHEDULE, is_on=True, tick_failures=[True], ticked_at=ago(700), job_succeeded_at=ago(699)), None),
        (Instigator(SCHEDULE, is_on=True, tick_failures=[False, True], ticked_at=ago(700)), None),
    ],
)
def test_a_sensor_is_in_trouble(instigator: Instigator, severity: str | None) -> None:
    found = instigator_problem(instigator, ago(600), NOW)
    assert (found[0] if found else None) == severity


def test_after_the_daemon_was_down_nobody_is_blamed_at_once() -> None:
    overnight = sensor([False], 8 * 60)
    assert instigator_problem(overnight, ago(1), NOW) is None
    assert instigator_problem(overnight, ago(11), NOW) is not None
    assert not is_stalled(ago(8 * 60), ago(1), NOW)
    assert is_stalled(ago(8 * 60), ago(11), NOW)


@pytest.mark.parametrize(
    ("before", "looked_at", "since"),
    [(None, None, NOW), (ago(60), ago(0.5), ago(60)), (ago(60), ago(5.1), NOW), (ago(60), None, NOW)],
)
def test_a_gap_in_the_looks_begins_anew(before: datetime | None, looked_at: datetime | None, since: datetime) -> None:
    assert steady_since(before, looked_at, NOW) == since
