"""Upkeep: out with what has been kept long enough, in the catalogue's bookkeeping and in Dagster's own records.

What is kept how long is sql/operations/clean_up.sql; TMDB's six months are kept by `movie_ids` every day, and embedding
sets are dropped by `movie_vectors`.
"""

from datetime import date, datetime, timedelta

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.runs.dagster_compat import AssetCheckExecutionsTable, SqlEventLogStorage
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

KEPT_RUNS = timedelta(days=90)
MAX_RUNS = 5000  # in one clean-up; the oldest go first
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


@dg.asset(group_name="operations", kinds={"postgres", "dagster"})
@logged(gone="rows_deleted")
def retention(context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]) -> dg.MaterializeResult[None]:
    """A kind of record, with how many of it had been kept long enough and are deleted."""
    as_of = run_time_of(context.run)
    deleted = {row.kind: (row.kept_days, row.rows_deleted) for row in database.rows("clean_up", as_of=as_of)}
    before = as_of - KEPT_RUNS
    runs = delete_runs(context.instance, before, oldest_day=before.date())
    database.execute("forget_days", before=before.date())
    deleted["Dagster's runs, their events and log files"] = (KEPT_RUNS.days, runs)
    evaluations = delete_evaluations(context.instance, before)
    deleted["evaluations of checks in Dagster's records"] = (KEPT_RUNS.days, evaluations)
    return dg.MaterializeResult(
        metadata={
            "rows_deleted": sum(rows for _, rows in deleted.values()) - runs,
            "runs_deleted": runs,
            "kinds": shown_table(
                ("kind", "kept, days", "deleted"),
                [(kind, days or None, rows) for kind, (days, rows) in deleted.items()],
            ),
        }
    )


def delete_runs(instance: dg.DagsterInstance, before: datetime, oldest_day: date = date.min) -> int:
    """Delete ended runs created before a moment, with their events and log files; tells how many.

    The runs that the newest materialization of a batch, an asset, or a day since the oldest one comes from are kept:
    without them it would look as if it had never been made. Days before that are never asked for again.
    """
    kept = _runs_of_newest_materializations(instance, oldest_day)
    wanted = dg.RunsFilter(statuses=ENDED, created_before=before)
    deleted = 0
    for record in instance.get_run_records(wanted, limit=MAX_RUNS + len(kept), ascending=True):
        run_id = record.dagster_run.run_id
        if run_id in kept or deleted == MAX_RUNS:
            continue
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.delete_run(run_id)
        deleted += 1
    return deleted


def delete_evaluations(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete evaluations of checks from before a moment, but for the last of each check and outcome; tells how many.

    They outlive their runs, and Dagster itself deletes them with their asset only: hence its table. What is kept tells
    the web UI and the alerts how a check stands that has not been looked at since.
    """
    storage = instance.event_log_storage
    assert isinstance(storage, SqlEventLogStorage)  # noqa: S101  # all of Dagster's own are
    columns = AssetCheckExecutionsTable.c
    last = sa.select(sa.func.max(columns.id)).group_by(
        columns.asset_key, columns.check_name, columns.partition, columns.execution_status
    )
    old = columns.create_timestamp < before.replace(tzinfo=None)
    with storage.index_connection() as connection:
        return connection.execute(sa.delete(AssetCheckExecutionsTable).where(old, columns.id.not_in(last))).rowcount


def _runs_of_newest_materializations(instance: dg.DagsterInstance, oldest_day: date) -> set[str]:
    kept = set()
    for record in instance.get_asset_records():
        entry = record.asset_entry
        if entry.last_materialization is not None:
            kept.add(entry.last_materialization.run_id)
        newest = instance.event_log_storage.get_latest_storage_id_by_partition(
            entry.asset_key, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        wanted = [storage_id for partition, storage_id in newest.items() if not _is_day_before(partition, oldest_day)]
        if wanted:
            of_partitions = dg.AssetRecordsFilter(asset_key=entry.asset_key, storage_ids=wanted)
            found = instance.fetch_materializations(of_partitions, limit=len(wanted)).records
            kept |= {event.run_id for event in found}
    return kept


def _is_day_before(partition: str, day: date) -> bool:
    try:
        return date.fromisoformat(partition) < day
    except ValueError:
        return False  # a batch
