"""The sensor that marks runs as failed whose process ended together with its code server, by their free locks.

The lock is `database.run_lock`; `launch_decisions.orphans` says which runs are orphans. Dagster's own `run_monitoring`
(dagster.yaml) handles runs that never began, and runs that do not end when they are cancelled.
"""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import dagster as dg

from movie_assets.database.database import Database
from movie_assets.orchestration.launch_decisions import orphans
from movie_assets.orchestration.run_records import UNFINISHED
from movie_assets.runs.locations import LOCATION, is_run_of, location_of
from movie_assets.runs.run_time import is_made_by_a_command

TIME_TO_TAKE_A_LOCK = timedelta(minutes=1)  # since the start of a run
TIME_TO_TAKE_A_LOCK_AGAIN = timedelta(seconds=30)  # after Postgres dropped its connection
ORPHANED_MESSAGE = (
    "The process that ran it has ended without a word (killed, or a power cut); what it had committed is kept."
)


class UnlockedRun(NamedTuple):
    """A run whose lock no process holds."""

    run_id: str


def orphaned_runs_sensor(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Return the sensor, which launches no run."""

    @dg.sensor(
        name="runs_without_a_process",
        description="Marks runs as failed whose process has ended, so that their pool slots are free and their work is "
        "launched again. Each run holds a lock in Postgres while its process lives.",
        minimum_interval_seconds=30,
        default_status=status,
    )
    def runs_without_a_process(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database]
    ) -> dg.SensorResult:
        started = runs_without_a_lock(context.instance, database, location_of(context))
        seen = json.loads(context.cursor) if context.cursor else {}
        dead, suspects = orphans(started, seen, datetime.now(UTC))
        mark_as_failed(context.instance, dead)
        message = f"{len(dead)} reported as failed: {', '.join(sorted(dead))}" if dead else f"{len(suspects)} in doubt"
        return dg.SensorResult(skip_reason=message, cursor=json.dumps(suspects))

    return runs_without_a_process


def runs_without_a_lock(instance: dg.DagsterInstance, database: Database, location: str) -> set[str]:
    """Return started runs whose lock is free: dead ones, and those that have just begun.

    Runs of other code locations have no such lock, so they are left out.
    """
    runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    started = [run.run_id for run in runs if is_run_of(location, run)]
    return _without_lock(database, started)


def fail_orphaned_runs(instance: dg.DagsterInstance, database: Database, now: datetime) -> set[str]:
    """Mark runs as failed whose process has ended, and free their pool slots; return the ids of the runs.

    `dev` and every command that runs jobs call it at their start, with or without a daemon. A run that a command made
    holds its lock from its creation to its end; others take it within a minute of their start.
    """
    records = [
        r for r in instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED)) if is_run_of(LOCATION, r.dagster_run)
    ]
    proven = [r.dagster_run.run_id for r in records if is_made_by_a_command(r.dagster_run) or _has_its_lock(r, now)]
    orphaned = _without_lock(database, proven)
    mark_as_failed(instance, orphaned)
    storage = instance.event_log_storage
    for run_id in storage.get_concurrency_run_ids() if storage.supports_global_concurrency_limits else ():
        if _has_ended(instance, database, run_id):
            storage.free_concurrency_slots_for_run(run_id)
    return orphaned


def free_pool(
    instance: dg.DagsterInstance, database: Database, pool: str, unheld: Mapping[str, str], now: datetime
) -> tuple[list[str], dict[str, str]]:
    """Free a pool's slots that are held by runs without a process.

    Return these runs, and since when the locks of the other runs have been free: pass that to the next call as
    `unheld`. Waiting runs are included, as Dagster gives a free slot to the first run in the queue, even a dead one. A
    run takes its lock before it claims a slot, so a short time without the lock is proof.
    """
    info = instance.event_log_storage.get_concurrency_info(pool)
    holders = {slot.run_id for slot in info.claimed_slots} | {step.run_id for step in info.pending_steps}
    ended = {run_id for run_id in holders if _has_ended(instance, database, run_id)}
    for run_id in ended:
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    runs = [run for run_id in holders - ended if (run := instance.get_run_by_id(run_id)) and not run.is_finished]
    ours = [run.run_id for run in runs if is_run_of(LOCATION, run)]
    dead, suspects = orphans(_without_lock(database, ours), unheld, now, proof=TIME_TO_TAKE_A_LOCK_AGAIN)
    mark_as_failed(instance, dead)
    return sorted(ended | dead), suspects


def _without_lock(database: Database, run_ids: list[str]) -> set[str]:
    """Return those of the runs whose lock no process holds."""
    return {row.run_id for row in database.fetch(UnlockedRun, "runs_without_a_lock", run_ids=run_ids)}


def _has_its_lock(record: dg.RunRecord, now: datetime) -> bool:
    """Return whether a run started so long ago that it holds its lock if its process lives."""
    if record.dagster_run.status not in (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING):
        return False
    began = record.start_time or record.create_timestamp.timestamp()
    return datetime.fromtimestamp(began, UTC) < now - TIME_TO_TAKE_A_LOCK


def _has_ended(instance: dg.DagsterInstance, database: Database, run_id: str) -> bool:
    """Return whether a run is unknown or has ended, and its process, too, which may outlive a run marked as ended."""
    run = instance.get_run_by_id(run_id)
    return (run is None or run.is_finished) and bool(_without_lock(database, [run_id]))


def mark_as_failed(instance: dg.DagsterInstance, run_ids: Collection[str]) -> None:
    """Report runs that have not ended meanwhile as failed, or as cancelled if that was requested; free their slots."""
    for run_id in run_ids:
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            continue
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, ORPHANED_MESSAGE)
        else:
            instance.report_run_failed(run, ORPHANED_MESSAGE)
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
