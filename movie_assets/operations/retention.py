"""The monthly deletion of old records, of the pipeline and of Dagster.

sql/operations/clean_up.sql has the time for which each kind of record is kept. `movie_ids` deletes responses within the
six months that TMDB allows, and `movie_vectors` drops embedding sets.
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.runs.dagster_compat import AssetCheckExecutionsTable, SqlEventLogStorage
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

KEPT_RUNS = timedelta(days=90)
MAX_RUNS = 5000  # that one run deletes, the oldest first
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


class DeletedRecords(NamedTuple):
    """The number of deleted records of a kind; `kept_days` is 0 for records that are kept while they are used."""

    kind: str
    kept_days: int
    rows_deleted: int


@dg.asset(group_name="operations", kinds={"postgres", "dagster"})
@logged(gone="rows_deleted")
def retention(context: dg.AssetExecutionContext, database: dg.ResourceParam[Database]) -> dg.MaterializeResult[None]:
    """A kind of record, with the number of its old records that were deleted."""
    as_of = run_time_of(context.run)
    deleted = database.execute_returning(DeletedRecords, "clean_up", as_of=as_of)
    before = as_of - KEPT_RUNS
    runs = delete_runs(context.instance, before, oldest_day=before.date())
    database.execute("forget_days", before=before.date())
    evaluations = delete_evaluations(context.instance, before)
    deleted += [
        DeletedRecords("Dagster's runs, their events and log files", KEPT_RUNS.days, runs),
        DeletedRecords("evaluations of checks in Dagster's records", KEPT_RUNS.days, evaluations),
    ]
    return dg.MaterializeResult(
        metadata={
            "rows_deleted": sum(each.rows_deleted for each in deleted) - runs,
            "runs_deleted": runs,
            "kinds": shown_table(
                ("kind", "kept, days", "deleted"),
                [(each.kind, each.kept_days or None, each.rows_deleted) for each in deleted],
            ),
        }
    )


def delete_runs(instance: dg.DagsterInstance, before: datetime, oldest_day: date = date.min) -> int:
    """Delete ended runs that were created before a time, with their events and log files; return their number.

    The run of the newest materialization of each asset and partition is kept, as Dagster would otherwise show it as
    never materialized. Partitions of days before `oldest_day` are not kept.
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
    """Delete evaluations of checks from before a time, and return their number.

    The last one of each check and outcome is kept: the web UI and alerts show it. Dagster deletes evaluations with
    their asset only and has no function for it, so this deletes from its table.
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
