"""What buries runs whose process died together with its code server: a sensor that looks for their locks.

The lock itself is `resources.run_lock`; when a look is proof, `decisions.to_bury`. Runs that never began, or that do
not end when they are cancelled, are Dagster's own `run_monitoring`'s business (dagster.yaml).
"""

import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import dagster as dg

from movie_assets.automation.decisions import to_bury
from movie_assets.automation.locations import LOCATION, is_run_of, location_of
from movie_assets.resources.postgres import Database

TIME_TO_TAKE_A_LOCK = timedelta(minutes=1)  # from the record of a run on
EPITAPH = "The process that ran it has ended without a word (killed, or a power cut); what it had committed is kept."


def reaper(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """The sensor, which launches nothing."""

    @dg.sensor(
        name="runs_without_a_process",
        description="Marks runs as failed whose process died, so that their pool slots are free and their work is "
        "launched again. Each run holds a lock in Postgres while its process lives.",
        minimum_interval_seconds=30,
        default_status=status,
    )
    def runs_without_a_process(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database]
    ) -> dg.SensorResult:
        started = runs_without_a_lock(context.instance, database, location_of(context))
        seen = json.loads(context.cursor) if context.cursor else {}
        dead, suspects = to_bury(started, seen, datetime.now(UTC))
        bury(context.instance, dead)
        told = f"{len(dead)} reported as failed: {', '.join(sorted(dead))}" if dead else f"{len(suspects)} in doubt"
        return dg.SensorResult(skip_reason=told, cursor=json.dumps(suspects))

    return runs_without_a_process


def runs_without_a_lock(instance: dg.DagsterInstance, database: Database, location: str) -> set[str]:
    """Started runs whose lock nobody holds: dead ones, and those that have only just begun.

    Runs of other code locations hold no lock of ours, alive or not.
    """
    runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    started = [run.run_id for run in runs if is_run_of(location, run)]
    return {row.run_id for row in database.rows("runs_without_a_lock", run_ids=started)}


def bury_at_start(instance: dg.DagsterInstance, database: Database, now: datetime) -> None:
    """Bury what the last power cut left, before a daemon is started: nobody but a refresh can be at work now."""
    before = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], created_before=now - TIME_TO_TAKE_A_LOCK)
    old = {run.run_id for run in instance.get_runs(before)}
    bury(instance, old & runs_without_a_lock(instance, database, LOCATION))


def bury(instance: dg.DagsterInstance, run_ids: Collection[str]) -> None:
    """Report runs as failed that have not ended meanwhile, and free their places in the pools."""
    for run_id in run_ids:
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            continue
        instance.report_run_failed(run, EPITAPH)
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
