"""What is observed in Dagster's real records: runs, ticks, freshness."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster_shared.error import SerializableErrorInfo

from movie_assets.operations.alerts import observations
from movie_assets.operations.alerts.decisions import OpenAlert, Problem, Subject
from movie_assets.operations.alerts.observations import observe_checks, observe_runs
from movie_assets.operations.alerts.processes import observe_freshness, observe_instigators
from movie_assets_tests.support.definitions import defs

REPOSITORY = defs.get_repository_def()
PUBLISH = Subject("job", "", "publish")


class Switch(dg.ConfigurableResource[None]):
    """Whether the asset below fails."""

    fails: bool


@dg.asset
def thing(switch: Switch) -> None:
    if switch.fails:
        raise dg.Failure("the thing\n is broken", allow_retries=False)


@dg.asset_check(asset=thing)  # type: ignore[arg-type, unused-ignore]
def it_holds() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, metadata={"n": 3, "long": "x" * 99})


MADE = dg.Definitions(
    [thing],
    asset_checks=[it_holds],
    jobs=[dg.define_asset_job("make", selection=[thing]), dg.define_asset_job("remake", selection=[thing])],
    resources={"switch": Switch(fails=True)},
)


def make(instance: dg.DagsterInstance, *, fails: bool, job: str = "make") -> dg.ExecuteInProcessResult:
    return MADE.resolve_job_def(job).execute_in_process(
        instance=instance, raise_on_error=False, resources={"switch": Switch(fails=fails)}
    )


def jobs(
    instance: dg.DagsterInstance, before: dict[Subject, OpenAlert] | None = None, now: datetime | None = None
) -> tuple[dict[str, Problem], set[str]]:
    broken, well = observe_runs(
        instance, MADE.get_repository_def(), "movie_assets", before or {}, now or datetime.now(UTC)
    )
    return {problem.subject.name: problem for problem in broken}, {subject.name for subject in well}


def test_a_failed_run_breaks_its_job_and_tells_why(instance: dg.DagsterInstance) -> None:
    result = make(instance, fails=True)
    broken, _ = jobs(instance)
    assert broken["make"].message == "thing: the thing is broken"
    assert broken["make"].link == f"/runs/{result.run_id}"
    assert abs((broken["make"].began_at - datetime.now(UTC)).total_seconds()) < 60


def test_the_reason_of_a_failure_that_is_written_down_is_not_looked_up_again(instance: dg.DagsterInstance) -> None:
    result = make(instance, fails=True)
    broken, _ = jobs(instance, {Subject("job", "", "make"): OpenAlert(1, result.run_id)})
    assert broken["make"].message == ""


@pytest.mark.parametrize("job", ["make", "remake"])
def test_a_success_with_the_same_assets_ends_it(job: str, instance: dg.DagsterInstance) -> None:
    make(instance, fails=True)
    make(instance, fails=False, job=job)
    broken, well = jobs(instance)
    assert broken == {}
    assert "make" in well


def test_a_run_that_a_person_launched_is_named_by_its_assets(instance: dg.DagsterInstance) -> None:
    MADE.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, raise_on_error=False, asset_selection=[dg.AssetKey("thing")]
    )
    assert set(jobs(instance)[0]) == {"assets thing"}


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_failure_of_long_ago_is_over_when_its_assets_are_made_under_another_name(
    is_deleted: bool, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = MADE.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, raise_on_error=False, asset_selection=[dg.AssetKey("thing")]
    )
    before = {Subject("job", "", "assets thing"): OpenAlert(1, failed.run_id)}
    now = datetime.now(UTC)
    monkeypatch.setattr(observations, "LOOK_BACK", timedelta())  # what ended before now is long ago
    if is_deleted:
        instance.delete_run(failed.run_id)
    broken, well = jobs(instance, before, now)
    assert (set(broken), well) == ({"assets thing"}, set())
    make(instance, fails=False)
    assert jobs(instance, before, now) == ({}, {"assets thing", "make"})


def test_a_run_of_checks_alone_is_named_by_them_and_over_when_their_asset_is_made(
    instance: dg.DagsterInstance,
) -> None:
    key = dg.AssetCheckKey(dg.AssetKey("thing"), "it_holds")
    run = dg.DagsterRun(job_name="__ASSET_JOB", asset_selection=frozenset(), asset_check_selection=frozenset({key}))
    instance.add_run(run)
    instance.report_run_failed(run)
    assert set(jobs(instance)[0]) == {"checks it_holds"}
    make(instance, fails=False)
    assert jobs(instance)[0] == {}


def test_a_run_of_another_code_location_says_nothing(instance: dg.DagsterInstance) -> None:
    def ended(location: str, status: dg.DagsterRunStatus) -> dg.DagsterRun:
        origin = RemoteJobOrigin(repository_at(location), "make")
        run = dg.DagsterRun(job_name="make", status=status, remote_job_origin=origin)
        return instance.add_run(run)

    ended("another", dg.DagsterRunStatus.FAILURE)
    assert jobs(instance) == ({}, set())
    failed = ended("movie_assets", dg.DagsterRunStatus.FAILURE)
    ended("another", dg.DagsterRunStatus.SUCCESS)
    broken, _ = jobs(instance)
    assert broken["make"].evidence == failed.run_id


def test_a_run_that_the_monitor_buried_is_a_failure(instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(MADE.resolve_job_def("make"))
    instance.report_run_failed(run, "the worker is gone")
    broken, _ = jobs(instance)
    assert "the worker is gone" in broken["make"].message


def test_a_check_that_is_only_announced_keeps_its_last_outcome(instance: dg.DagsterInstance) -> None:
    make(instance, fails=False)
    instance.create_run_for_job(MADE.resolve_job_def("make"))  # it announces the check and never comes to it
    (problem,), well = observe_checks(instance, MADE.get_repository_def(), {})
    assert (problem.subject, problem.severity) == (Subject("check", "thing", "it_holds"), "WARN")
    assert problem.figures == {"n": 3}
    assert well == []


def test_a_check_that_was_never_evaluated_is_neither_broken_nor_well(instance: dg.DagsterInstance) -> None:
    assert observe_checks(instance, REPOSITORY, {}) == ([], [])


@pytest.fixture
def daemon() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as opened:  # one in memory keeps no ticks
        yield opened


def repository_at(location: str) -> RemoteRepositoryOrigin:
    """The origin of what a code location has."""
    target = LoadableTargetOrigin(python_file="definitions.py", executable_path="python")
    return RemoteRepositoryOrigin(ManagedGrpcPythonEnvCodeLocationOrigin(target, location), "__repository__")


def put_sensor(
    instance: dg.DagsterInstance,
    name: str,
    statuses: list[TickStatus],
    status: InstigatorStatus = InstigatorStatus.RUNNING,
    age: timedelta = timedelta(),
    kind: InstigatorType = InstigatorType.SENSOR,
) -> None:
    """A sensor, or a schedule, with its last ticks, the oldest first."""
    origin = repository_at("movie_assets").get_instigator_origin(name)
    data = SensorInstigatorData() if kind == InstigatorType.SENSOR else ScheduleInstigatorData("0 3 1 * *")
    state = InstigatorState(origin, kind, status, data)
    instance.add_instigator_state(state)
    for n, tick in enumerate(statuses):
        at = (datetime.now(UTC) - age).timestamp() - 30 * (len(statuses) - n)
        error = SerializableErrorInfo("no such\ntable", [], "Boom") if tick == TickStatus.FAILURE else None
        instance.create_tick(
            TickData(state.instigator_origin_id, name, kind, tick, at, selector_id=state.selector_id,
                     error=error, end_timestamp=at)
        )  # fmt: skip


def instigators(instance: dg.DagsterInstance, own_name: str = "own_name") -> tuple[dict[str, Problem], set[str]]:
    now = datetime.now(UTC)
    broken, well = observe_instigators(instance, REPOSITORY, "movie_assets", own_name, now - timedelta(days=1), now)
    return {problem.subject.name: problem for problem in broken}, {subject.name for subject in well}


def test_a_sensor_whose_ticks_fail_is_broken(daemon: dg.DagsterInstance) -> None:
    put_sensor(daemon, "details_are_due", [TickStatus.SKIPPED] + 3 * [TickStatus.FAILURE])
    put_sensor(daemon, "texts_are_not_embedded", [TickStatus.SKIPPED, TickStatus.FAILURE, TickStatus.FAILURE])
    put_sensor(daemon, "sensor_of_another_project", 5 * [TickStatus.FAILURE])
    broken, well = instigators(daemon)
    assert set(broken) == {"details_are_due"}
    assert broken["details_are_due"].message == "its last 3 ticks failed: no such table"
    assert broken["details_are_due"].link == "/locations/movie_assets/sensors/details_are_due"
    assert well == {"texts_are_not_embedded"}


def test_a_sensor_that_was_switched_off_or_stands_still_is_broken(daemon: dg.DagsterInstance) -> None:
    put_sensor(daemon, "details_are_due", [TickStatus.SKIPPED], InstigatorStatus.STOPPED)
    put_sensor(daemon, "texts_are_not_embedded", [TickStatus.SKIPPED], age=timedelta(minutes=12))
    put_sensor(daemon, "no_day_was_read_yet", [TickStatus.STARTED], age=timedelta(minutes=12))
    broken, _ = instigators(daemon)
    assert {name: problem.severity for name, problem in broken.items()} == {
        "details_are_due": "WARN", "texts_are_not_embedded": "ERROR", "no_day_was_read_yet": "ERROR",
    }  # fmt: skip


@pytest.mark.parametrize(("is_default", "sentence"), [(False, "was switched off"), (True, "is on and has not ticked")])
def test_a_sensor_that_the_code_switched_off_does_not_stand_still(
    is_default: bool, sentence: str, daemon: dg.DagsterInstance
) -> None:
    status = dg.DefaultSensorStatus.RUNNING if is_default else dg.DefaultSensorStatus.STOPPED

    @dg.sensor(target=[thing], default_status=status, minimum_interval_seconds=30)
    def details_are_due() -> None: ...

    repository = dg.Definitions(sensors=[details_are_due], resources={"switch": None}).get_repository_def()
    declared = InstigatorStatus.DECLARED_IN_CODE  # recorded when automation was on; what it is now, the code says
    put_sensor(daemon, "details_are_due", [TickStatus.SKIPPED], declared, age=timedelta(hours=2))
    now = datetime.now(UTC)
    (problem,), _ = observe_instigators(daemon, repository, "movie_assets", "own_name", now - timedelta(days=1), now)
    assert sentence in problem.message


def test_a_schedule_whose_tick_failed_is_well_when_its_job_was_run_by_hand(daemon: dg.DagsterInstance) -> None:
    put_sensor(daemon, "clean_up_on_the_first", [TickStatus.FAILURE], kind=InstigatorType.SCHEDULE)
    assert instigators(daemon)[0]["clean_up_on_the_first"].message == "its last tick failed: no such table"
    clean_up = dg.define_asset_job("clean_up", selection=[thing])
    made = dg.Definitions([thing], jobs=[clean_up], resources={"switch": Switch(fails=False)})
    made.resolve_job_def("clean_up").execute_in_process(instance=daemon)
    assert instigators(daemon) == ({}, {"clean_up_on_the_first"})


def test_the_alerts_sensor_says_nothing_of_itself(daemon: dg.DagsterInstance) -> None:
    put_sensor(daemon, "something_broke_or_recovered", 3 * [TickStatus.FAILURE])
    assert instigators(daemon, "something_broke_or_recovered") == ({}, set())


@pytest.mark.parametrize(
    ("state", "hours", "severity", "allowed"),
    [(FreshnessState.FAIL, 55, "ERROR", 54), (FreshnessState.WARN, 31, "WARN", 30), (FreshnessState.PASS, 2, None, 0)],
)
def test_an_asset_that_is_late_is_broken(
    state: FreshnessState, hours: int, severity: str | None, allowed: int, instance: dg.DagsterInstance
) -> None:
    policy = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=54), warn_window=timedelta(hours=30))

    @dg.asset(freshness_policy=policy)
    def dated() -> None: ...

    instance.report_runless_asset_event(dg.AssetMaterialization("dated"))
    change: Any = FreshnessStateChange(
        key=dg.AssetKey("dated"), new_state=state, previous_state=FreshnessState.UNKNOWN,
        state_change_timestamp=datetime.now(UTC).timestamp(),
    )  # fmt: skip
    instance._report_runless_asset_event(change)
    repository = dg.Definitions([dated]).get_repository_def()
    now = datetime.now(UTC) + timedelta(hours=hours)
    broken, well = observe_freshness(instance, repository, now - timedelta(hours=1), now)
    expected = f"Materialized again within {allowed} hours."
    late = [(severity, expected, {"hours_old": float(hours), "hours_allowed": float(allowed)})] if severity else []
    assert [(each.severity, each.expected, each.figures) for each in broken] == late
    assert len(well) == (severity is None)
    after_downtime = observe_freshness(instance, repository, now - timedelta(minutes=59), now)
    assert after_downtime == ([], well)


def test_an_asset_that_is_late_and_whose_records_were_wiped_has_no_age(instance: dg.DagsterInstance) -> None:
    @dg.asset(freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=54)))
    def dated() -> None: ...

    change: Any = FreshnessStateChange(
        key=dg.AssetKey("dated"), new_state=FreshnessState.FAIL, previous_state=FreshnessState.PASS,
        state_change_timestamp=datetime.now(UTC).timestamp(),
    )  # fmt: skip
    instance._report_runless_asset_event(change)
    now = datetime.now(UTC)
    repository = dg.Definitions([dated]).get_repository_def()
    (problem,), _ = observe_freshness(instance, repository, now - timedelta(hours=1), now)
    assert problem.figures == {"hours_allowed": 54.0}
