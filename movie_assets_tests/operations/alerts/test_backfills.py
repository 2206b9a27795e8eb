"""Backfills in Dagster's real records: which are an alert, what it says, and when it is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.execution.asset_backfill import AssetBackfillData
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import RemotePartitionSetOrigin
from dagster_shared.error import SerializableErrorInfo

from movie_assets.database.database import Database
from movie_assets.operations.alerts.backfills import observe_backfills
from movie_assets.operations.alerts.decisions import OpenAlert, Problem, Subject
from movie_assets.operations.alerts.destinations import Destinations
from movie_assets.operations.alerts.observations import observe_runs
from movie_assets.operations.alerts.sensor import alert_sensor
from movie_assets_tests.listeners import listening
from movie_assets_tests.operations.alerts.daemon import WEB, Daemon, events, to, webhook
from movie_assets_tests.operations.alerts.test_observations import repository_at

LETTERS = dg.StaticPartitionsDefinition(["a", "b", "c"])
BOTH = Subject("backfill", "", "first, second")


class Bad(dg.ConfigurableResource[None]):
    """The partitions that fail."""

    names: list[str]


@dg.asset(partitions_def=LETTERS)
def first(context: dg.AssetExecutionContext, bad: Bad) -> None:
    if context.partition_key in bad.names:
        raise dg.Failure(f"{context.partition_key}\n is bad", allow_retries=False)


@dg.asset(partitions_def=LETTERS, deps=[first])
def second() -> None:
    pass


MADE = dg.Definitions(
    [first, second], jobs=[dg.define_asset_job("make", selection=[first, second])], resources={"bad": Bad(names=[])}
)
REPOSITORY = MADE.get_repository_def()


def backfill_of(
    instance: dg.DagsterInstance,
    *partitions: str,
    status: BulkActionStatus = BulkActionStatus.REQUESTED,
    name: str = "one",
) -> PartitionBackfill:
    """Record a backfill over both assets, as the web UI launches it."""
    target = AssetGraphSubset.from_asset_partition_set(
        {AssetKeyPartitionKey(key, each) for key in (first.key, second.key) for each in partitions},
        REPOSITORY.asset_graph,
    )
    now = datetime.now(UTC).timestamp()
    backfill = PartitionBackfill(
        backfill_id=name,
        status=status,
        from_failure=False,
        tags={},
        backfill_timestamp=now,
        asset_selection=[first.key, second.key],
        asset_backfill_data=AssetBackfillData.empty(target, now, instance),
    )
    instance.add_backfill(backfill)
    return backfill


def run(instance: dg.DagsterInstance, partition: str, *, bad: bool = False, backfill: str | None = "one") -> Any:
    """Make a partition of both assets, as a run of a backfill or by itself."""
    return MADE.resolve_job_def("make").execute_in_process(
        instance=instance, partition_key=partition, raise_on_error=False,
        tags={"dagster/backfill": backfill} if backfill else {}, resources={"bad": Bad(names=["a"] if bad else [])},
    )  # fmt: skip


def end(instance: dg.DagsterInstance, backfill: PartitionBackfill, status: BulkActionStatus) -> None:
    instance.update_backfill(backfill._replace(status=status, backfill_end_timestamp=datetime.now(UTC).timestamp()))


def look(
    instance: dg.DagsterInstance, before: dict[Subject, OpenAlert] | None = None
) -> tuple[dict[Subject, Problem], set[Subject]]:
    since = datetime.now(UTC) - timedelta(days=1)
    broken, well = observe_backfills(instance, REPOSITORY, before or {}, since)
    return {problem.subject: problem for problem in broken}, set(well)


def test_a_partly_failed_backfill_names_its_assets_partitions_and_first_error(instance: dg.DagsterInstance) -> None:
    backfill = backfill_of(instance, "a", "b")
    run(instance, "a", bad=True)
    run(instance, "b")
    end(instance, backfill, BulkActionStatus.COMPLETED_FAILED)
    broken, well = look(instance)
    assert (set(broken), well) == ({BOTH}, set())
    problem = broken[BOTH]
    assert problem.message == "not materialized: first (a), second (a): first: a is bad"
    assert (problem.severity, problem.link) == ("ERROR", "/runs/b/one")
    assert problem.figures == {"first": 1, "second": 1}


def test_a_failed_run_is_told_while_the_backfill_is_at_work_and_once(instance: dg.DagsterInstance) -> None:
    backfill_of(instance, "a", "b", "c")
    assert look(instance) == ({}, {BOTH})
    run(instance, "a", bad=True)
    broken, _ = look(instance)
    assert broken[BOTH].figures == {"first": 1, "second": 1}  # b and c are still to come
    jobs, _ = observe_runs(instance, REPOSITORY, "movie_assets", {}, datetime.now(UTC))
    assert jobs == []


def test_a_backfill_whose_steps_were_skipped_is_told_though_no_run_failed(instance: dg.DagsterInstance) -> None:
    backfill = backfill_of(instance, "a")
    MADE.resolve_job_def("make").execute_in_process(
        instance=instance, partition_key="a", tags={"dagster/backfill": "one"}, asset_selection=[first.key],
    )  # fmt: skip
    end(instance, backfill, BulkActionStatus.COMPLETED_FAILED)
    broken, _ = look(instance)
    assert broken[BOTH].message == "not materialized: second (a): none of its runs failed; their steps were skipped"


def test_a_backfill_that_the_daemon_gave_up_tells_its_error(instance: dg.DagsterInstance) -> None:
    backfill = backfill_of(instance, "a")._replace(error=SerializableErrorInfo("no such\n job", [], "Error"))
    end(instance, backfill, BulkActionStatus.FAILED)
    assert look(instance)[0][BOTH].message == "not materialized: first (a), second (a): no such job"


@pytest.mark.parametrize("by", [None, "two"])
def test_it_is_over_when_its_partitions_were_materialized_since(instance: dg.DagsterInstance, by: str | None) -> None:
    run(instance, "a", backfill=None)  # before it, which does not count
    backfill = backfill_of(instance, "a", "b")
    run(instance, "a", bad=True)
    run(instance, "b")
    end(instance, backfill, BulkActionStatus.COMPLETED_FAILED)
    assert set(look(instance)[0]) == {BOTH}
    if by:
        again = backfill_of(instance, "a", name=by)
        run(instance, "a", backfill=by)
        end(instance, again, BulkActionStatus.COMPLETED_SUCCESS)
    else:
        run(instance, "a", backfill=None)
    assert look(instance) == ({}, {BOTH})


def test_another_backfill_over_less_does_not_hide_what_is_missing(instance: dg.DagsterInstance) -> None:
    backfill = backfill_of(instance, "a")
    run(instance, "a", bad=True)
    end(instance, backfill, BulkActionStatus.COMPLETED_FAILED)
    other = backfill_of(instance, "b", name="two")
    run(instance, "b", backfill="two")
    end(instance, other, BulkActionStatus.COMPLETED_SUCCESS)
    assert set(look(instance)[0]) == {BOTH}


def test_one_that_a_person_cancelled_or_that_succeeded_is_none(instance: dg.DagsterInstance) -> None:
    backfill = backfill_of(instance, "a")
    run(instance, "a", bad=True)
    end(instance, backfill, BulkActionStatus.CANCELED)
    assert look(instance) == ({}, {BOTH})


def test_an_alert_from_long_ago_finds_its_end(instance: dg.DagsterInstance) -> None:
    backfill = backfill_of(instance, "a")
    run(instance, "a", bad=True)
    end(instance, backfill, BulkActionStatus.COMPLETED_FAILED)
    before = {BOTH: OpenAlert(1, "one 2")}
    later = datetime.now(UTC) + timedelta(days=1)
    (problem,), _ = observe_backfills(instance, REPOSITORY, before, later)
    assert (problem.subject, problem.message) == (BOTH, "")  # its text is stored already
    assert observe_backfills(instance, REPOSITORY, {}, later) == ([], [])
    run(instance, "a", backfill=None)
    assert observe_backfills(instance, REPOSITORY, before, later) == ([], [BOTH])


def test_a_jobs_backfill_is_told_by_its_assets_too(instance: dg.DagsterInstance) -> None:
    origin = RemotePartitionSetOrigin(
        repository_origin=repository_at("movie_assets"), partition_set_name="make_partition_set"
    )
    backfill = PartitionBackfill(
        backfill_id="one", status=BulkActionStatus.COMPLETED_FAILED, from_failure=False, tags={},
        backfill_timestamp=datetime.now(UTC).timestamp(), partition_set_origin=origin, partition_names=["a", "b"],
    )  # fmt: skip
    instance.add_backfill(backfill)
    run(instance, "a", bad=True)
    run(instance, "b")
    assert look(instance)[0][BOTH].figures == {"first": 1, "second": 1}


def test_one_of_assets_that_are_not_here_says_nothing(instance: dg.DagsterInstance) -> None:
    end(instance, backfill_of(instance, "a"), BulkActionStatus.COMPLETED_FAILED)
    elsewhere = dg.Definitions([first], resources={"bad": Bad(names=[])}).get_repository_def()
    assert observe_backfills(instance, elsewhere, {}, datetime.now(UTC) - timedelta(days=1)) == ([], [])


def test_the_sensor_tells_it_once_and_its_recovery(instance: dg.DagsterInstance, database: Database) -> None:
    with listening() as listener:
        daemon = Daemon(
            database,
            instance,
            to(webhook(listener)),
            definitions=dg.Definitions.merge(
                MADE,
                dg.Definitions(
                    sensors=[alert_sensor(dg.DefaultSensorStatus.RUNNING)],
                    resources={"database": database, "destinations": Destinations()},
                ),
            ),
        )
        backfill = backfill_of(instance, "a", "b")
        run(instance, "a", bad=True)
        daemon.ticks(2)
        run(instance, "b")
        end(instance, backfill, BulkActionStatus.COMPLETED_FAILED)
        daemon.ticks(2)
        run(instance, "a", backfill=None)
        daemon.ticks(2)
        assert events(listener) == [[("broken", "first, second")], [("recovered", "first, second")]]
        (entry,) = listener.messages[0]["entries"]
        assert (entry["kind"], entry["link"]) == ("backfill", f"{WEB}/runs/b/one")
        assert entry["runbook"].endswith("#backfill-failed")
