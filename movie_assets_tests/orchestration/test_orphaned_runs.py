"""Runs whose process has ended without telling: found by their lock, reported once, their place in the pool free."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from movie_assets.database.database import Database
from movie_assets.database.run_lock import run_lock
from movie_assets.orchestration.orphaned_runs import ORPHANED_MESSAGE, fail_orphaned_runs, free_pool
from movie_assets.runs.run_time import LAUNCHED_BY_TAG
from movie_assets_tests.support.definitions import defs

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
    assert event.dagster_event.message == ORPHANED_MESSAGE


def test_a_run_that_lives_is_left_alone(database: Database, started: dg.DagsterInstance) -> None:
    with run_lock(database, RUN):
        assert json.loads(str(tick(database, started, seen(10)).cursor)) == {}
    assert status_of(started) == dg.DagsterRunStatus.STARTED


def test_a_command_that_starts_fails_orphaned_runs_at_once(database: Database, started: dg.DagsterInstance) -> None:
    now = datetime.now(UTC)
    fail_orphaned_runs(started, database, now)  # it may be about to take its lock
    assert status_of(started) == dg.DagsterRunStatus.STARTED
    with run_lock(database, RUN):
        fail_orphaned_runs(started, database, now + timedelta(minutes=2))
    assert status_of(started) == dg.DagsterRunStatus.STARTED
    fail_orphaned_runs(started, database, now + timedelta(minutes=2))
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
    fail_orphaned_runs(instance, database, datetime.now(UTC) + timedelta(minutes=2))
    tick(database, instance, seen(10))
    assert status_of(instance) == status


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING])
def test_a_run_that_has_not_begun_is_dagsters_business(
    status: dg.DagsterRunStatus, database: Database, instance: dg.DagsterInstance
) -> None:
    instance.add_run(dg.DagsterRun(job_name="fetch_details", run_id=RUN, status=status))
    assert json.loads(str(tick(database, instance, seen(10)).cursor)) == {}
    assert status_of(instance) == status


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_a_run_of_a_command_is_failed_at_once_when_nobody_holds_its_lock(
    status: dg.DagsterRunStatus, database: Database, instance: dg.DagsterInstance
) -> None:
    tags = {LAUNCHED_BY_TAG: "movie-assets refresh"}
    instance.add_run(dg.DagsterRun(job_name="fetch_details", run_id=RUN, status=status, tags=tags))
    with run_lock(database, RUN):
        assert fail_orphaned_runs(instance, database, datetime.now(UTC)) == set()
    assert status_of(instance) == status
    assert fail_orphaned_runs(instance, database, datetime.now(UTC)) == {RUN}
    assert status_of(instance) == dg.DagsterRunStatus.FAILURE


def test_a_repetition_from_the_web_ui_of_a_commands_run_may_have_no_lock_yet(
    database: Database, instance: dg.DagsterInstance
) -> None:
    tags = {LAUNCHED_BY_TAG: "movie-assets refresh", "dagster/parent_run_id": RUN.replace("1", "2")}
    status = dg.DagsterRunStatus.STARTED
    instance.add_run(dg.DagsterRun(job_name="fetch_details", run_id=RUN, status=status, tags=tags))
    assert fail_orphaned_runs(instance, database, datetime.now(UTC)) == set()
    assert fail_orphaned_runs(instance, database, datetime.now(UTC) + timedelta(minutes=2)) == {RUN}


def test_a_run_that_was_to_be_cancelled_ends_as_cancelled(database: Database, instance: dg.DagsterInstance) -> None:
    status = dg.DagsterRunStatus.CANCELING
    instance.add_run(dg.DagsterRun(job_name="fetch_details", run_id=RUN, status=status))
    assert fail_orphaned_runs(instance, database, datetime.now(UTC) + timedelta(minutes=2)) == {RUN}
    assert status_of(instance) == dg.DagsterRunStatus.CANCELED


@pytest.fixture
def pooled(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance whose pool `embedder` the run holds."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as opened:
        opened.event_log_storage.set_concurrency_slots("embedder", 1)
        opened.add_run(dg.DagsterRun(job_name="embed_texts", run_id=RUN, status=dg.DagsterRunStatus.STARTED))
        assert opened.event_log_storage.claim_concurrency_slot("embedder", RUN, "movie_embeddings").is_claimed
        yield opened


def holders(instance: dg.DagsterInstance) -> set[str]:
    return {slot.run_id for slot in instance.event_log_storage.get_concurrency_info("embedder").claimed_slots}


def test_a_pool_is_freed_when_its_holder_had_no_lock_for_half_a_minute(
    database: Database, pooled: dg.DagsterInstance
) -> None:
    now = datetime.now(UTC)
    with run_lock(database, RUN):
        assert free_pool(pooled, database, "embedder", {}, now) == ([], {})
    freed, unheld = free_pool(pooled, database, "embedder", {}, now)
    assert (freed, set(unheld)) == ([], {RUN})
    with run_lock(database, RUN):  # Postgres had only been restarted
        assert free_pool(pooled, database, "embedder", unheld, now + timedelta(seconds=31)) == ([], {})
    assert free_pool(pooled, database, "embedder", unheld, now + timedelta(seconds=29))[0] == []
    assert free_pool(pooled, database, "embedder", unheld, now + timedelta(seconds=31)) == ([RUN], {})
    assert status_of(pooled) == dg.DagsterRunStatus.FAILURE
    assert holders(pooled) == set()


def test_a_run_that_was_marked_as_ended_keeps_its_pool_while_its_process_works_on(
    database: Database, pooled: dg.DagsterInstance
) -> None:
    run = pooled.get_run_by_id(RUN)
    assert run is not None
    pooled.report_run_canceled(run)
    with run_lock(database, RUN):
        assert free_pool(pooled, database, "embedder", {}, datetime.now(UTC)) == ([], {})
        fail_orphaned_runs(pooled, database, datetime.now(UTC))
    assert holders(pooled) == {RUN}
    fail_orphaned_runs(pooled, database, datetime.now(UTC))
    assert holders(pooled) == set()


def test_a_dead_run_in_the_queue_of_a_pool_does_not_get_its_slot(
    database: Database, pooled: dg.DagsterInstance
) -> None:
    waiting, third = RUN.replace("1", "2"), RUN.replace("1", "3")
    pooled.add_run(dg.DagsterRun(job_name="embed_texts", run_id=waiting, status=dg.DagsterRunStatus.STARTED))
    storage, now = pooled.event_log_storage, datetime.now(UTC)
    assert not storage.claim_concurrency_slot("embedder", waiting, "movie_embeddings").is_claimed
    _, unheld = free_pool(pooled, database, "embedder", {}, now)
    assert set(unheld) == {RUN, waiting}
    freed, _ = free_pool(pooled, database, "embedder", unheld, now + timedelta(seconds=31))
    assert freed == [RUN, waiting]
    assert storage.claim_concurrency_slot("embedder", third, "movie_embeddings").is_claimed
