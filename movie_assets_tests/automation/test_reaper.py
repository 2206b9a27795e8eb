"""Runs whose process has ended without telling: found by their lock, reported once, their place in the pool free."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from movie_assets.automation.reaper import EPITAPH, bury_at_start
from movie_assets.definitions import defs
from movie_assets.resources.postgres import Database
from movie_assets.resources.run_lock import run_lock

RUN = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def tick(database: Database, instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources={"database": database})
    result: Any = defs.resolve_sensor_def("runs_without_a_process")(context)
    assert isinstance(result, dg.SensorResult)
    assert not result.run_requests
    return result


def seen(minutes_ago: float) -> str:
    return json.dumps({RUN: (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()})


def status_of(instance: dg.DagsterInstance) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(RUN)
    assert run is not None
    return run.status


@pytest.fixture
def started(instance: dg.DagsterInstance) -> dg.DagsterInstance:
    instance.add_run(dg.DagsterRun(job_name="fetch_details", run_id=RUN, status=dg.DagsterRunStatus.STARTED))
    return instance


def test_a_dead_run_is_reported_after_two_minutes_without_a_lock(
    database: Database, started: dg.DagsterInstance
) -> None:
    first = tick(database, started)
    assert status_of(started) == dg.DagsterRunStatus.STARTED
    assert json.loads(str(first.cursor)).keys() == {RUN}
    last = tick(database, started, seen(2.1))
    assert status_of(started) == dg.DagsterRunStatus.FAILURE
    assert RUN in str(last.skip_reason)
    assert json.loads(str(last.cursor)) == {}
    (event,) = started.all_logs(RUN, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert event.dagster_event is not None
    assert event.dagster_event.message == EPITAPH


def test_a_run_that_lives_is_left_alone(database: Database, started: dg.DagsterInstance) -> None:
    with run_lock(database, RUN):
        assert json.loads(str(tick(database, started, seen(10)).cursor)) == {}
    assert status_of(started) == dg.DagsterRunStatus.STARTED


def test_before_a_daemon_is_started_dead_runs_are_buried_at_once(
    database: Database, started: dg.DagsterInstance
) -> None:
    now = datetime.now(UTC)
    bury_at_start(started, database, now)  # it may be about to take its lock
    assert status_of(started) == dg.DagsterRunStatus.STARTED
    with run_lock(database, RUN):
        bury_at_start(started, database, now + timedelta(minutes=2))
    assert status_of(started) == dg.DagsterRunStatus.STARTED
    bury_at_start(started, database, now + timedelta(minutes=2))
    assert status_of(started) == dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize(
    ("location", "status"),
    [("another", dg.DagsterRunStatus.STARTED), ("movie_assets", dg.DagsterRunStatus.FAILURE)],
)
def test_only_runs_of_its_own_code_location_are_buried(
    location: str, status: dg.DagsterRunStatus, database: Database, instance: dg.DagsterInstance
) -> None:
    repository = RemoteRepositoryOrigin(GrpcServerCodeLocationOrigin("code", 4000, location_name=location), "all")
    instance.add_run(
        dg.DagsterRun(
            job_name="theirs", run_id=RUN, status=dg.DagsterRunStatus.STARTED,
            remote_job_origin=RemoteJobOrigin(repository, "theirs"),
        )
    )  # fmt: skip
    bury_at_start(instance, database, datetime.now(UTC) + timedelta(minutes=2))
    tick(database, instance, seen(10))
    assert status_of(instance) == status


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING])
def test_a_run_that_has_not_begun_is_dagsters_business(
    status: dg.DagsterRunStatus, database: Database, instance: dg.DagsterInstance
) -> None:
    instance.add_run(dg.DagsterRun(job_name="fetch_details", run_id=RUN, status=status))
    assert json.loads(str(tick(database, instance, seen(10)).cursor)) == {}
    assert status_of(instance) == status
