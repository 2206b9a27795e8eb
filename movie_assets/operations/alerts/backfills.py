"""Backfills that failed, wholly or in part: which partitions they were to materialize and nobody has since.

A backfill can fail without a failed run (its steps were skipped, or the daemon could not launch it), and a backfill of
many runs is one thing for the person who launched it. So a backfill is one alert, and failures of its runs are none.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import dagster as dg

from movie_assets.operations.alerts.decisions import ErrorClass, Open, Subject
from movie_assets.operations.alerts.reasons import LONGEST_REASON, innermost, reason_of_run
from movie_assets.runs.batch_runs import listed
from movie_assets.runs.dagster_compat import BulkActionsFilter, BulkActionStatus, PartitionBackfill

BACKFILL_TAG = "dagster/backfill"
AT_WORK = [BulkActionStatus.REQUESTED, BulkActionStatus.FAILING]
FAILED = [BulkActionStatus.COMPLETED_FAILED, BulkActionStatus.FAILED]
MAX_BACKFILLS = 100
Partitions = Mapping[dg.AssetKey, set[str | None]]  # None: an asset without partitions


def observe_backfills(
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
    before: Mapping[Subject, Open],
    since: datetime,
) -> tuple[list[ErrorClass], list[Subject]]:
    """Return the backfills with partitions that failed and that nothing has materialized since, and the others.

    They are named by their assets: another backfill over the same assets continues the same alert.
    """
    broken: dict[Subject, ErrorClass] = {}
    well = set()
    for backfill in _backfills(instance, before, since):
        wanted = _targets(backfill, repository)
        if not wanted or not wanted.keys() <= repository.asset_graph.get_all_asset_keys():
            continue  # of another code location, or of assets that no longer exist
        subject = Subject("backfill", "", ", ".join(sorted(key.to_user_string() for key in wanted)))
        well.add(subject)
        failed = wanted if backfill.status in FAILED else {}
        if backfill.status in AT_WORK:
            failed = _failed_so_far(instance, backfill, repository, wanted)
        if left := _not_made_since(instance, failed, backfill.backfill_timestamp):
            broken[subject] = _error_class(instance, backfill, subject, left, before)
    return list(broken.values()), list(well - broken.keys())


def backfills_known(instance: dg.DagsterInstance, runs: Iterable[dg.DagsterRun]) -> set[str]:
    """Return the ids of the backfills of runs that the records still have."""
    ids = {run.tags[BACKFILL_TAG] for run in runs if BACKFILL_TAG in run.tags}
    return {found for found in ids if instance.get_backfill(found) is not None}


def _backfills(
    instance: dg.DagsterInstance, before: Mapping[Subject, Open], since: datetime
) -> list[PartitionBackfill]:
    """Those that are at work, those that were created since then, and those of open alerts, the oldest first."""
    found = instance.get_backfills(BulkActionsFilter(created_after=since), limit=MAX_BACKFILLS)
    found = [*found, *instance.get_backfills(BulkActionsFilter(statuses=AT_WORK), limit=MAX_BACKFILLS)]
    alerted = {known.evidence.partition(" ")[0] for subject, known in before.items() if subject.kind == "backfill"}
    kept = [instance.get_backfill(backfill_id) for backfill_id in alerted]
    by_id = {backfill.backfill_id: backfill for backfill in (*found, *kept) if backfill is not None}
    return sorted(by_id.values(), key=lambda backfill: backfill.backfill_timestamp)


def _targets(backfill: PartitionBackfill, repository: dg.RepositoryDefinition) -> Partitions:
    """The partitions of each asset that a backfill is to materialize; nothing where nobody knows."""
    targets = defaultdict[dg.AssetKey, set[str | None]](set)
    if backfill.asset_backfill_data is not None:
        for each in backfill.asset_backfill_data.target_subset.iterate_asset_partitions():
            targets[each.asset_key].add(each.partition_key)
    elif backfill.job_name and repository.has_job(backfill.job_name):
        for key in repository.get_job(backfill.job_name).asset_layer.selected_asset_keys:
            targets[key].update(backfill.partition_names or ())
    return dict(targets)


def _failed_so_far(
    instance: dg.DagsterInstance,
    backfill: PartitionBackfill,
    repository: dg.RepositoryDefinition,
    wanted: Partitions,
) -> Partitions:
    """Of a backfill at work: the partitions of the runs that failed."""
    failed = defaultdict[dg.AssetKey, set[str | None]](set)
    for run in _failed_runs(instance, backfill):
        keys = run.asset_selection or wanted.keys()
        for key in keys & wanted.keys():
            failed[key] |= wanted[key] & _partitions_of(run, repository.asset_graph.get(key).partitions_def)
    return {key: partitions for key, partitions in failed.items() if partitions}


def _partitions_of(run: dg.DagsterRun, definition: dg.PartitionsDefinition[str] | None) -> set[str | None]:
    if definition is None:
        return {None}
    if one := run.tags.get("dagster/partition"):
        return {one}
    first, last = (run.tags.get(f"dagster/asset_partition_range_{end}") for end in ("start", "end"))
    if first is None or last is None:
        return set()
    return set(definition.get_partition_keys_in_range(dg.PartitionKeyRange(first, last)))


def _not_made_since(instance: dg.DagsterInstance, wanted: Partitions, start: float) -> Partitions:
    """Those that nothing has materialized since a moment."""
    left = {key: partitions - set(_made_since(instance, key, partitions, start)) for key, partitions in wanted.items()}
    return {key: partitions for key, partitions in left.items() if partitions}


def _made_since(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: set[str | None], start: float
) -> Iterator[str | None]:
    wanted = dg.AssetRecordsFilter(asset_key=key, after_timestamp=start)
    first = instance.fetch_materializations(wanted, limit=1, ascending=True).records
    if not first:
        return
    if None in partitions:
        yield None
    names = {name for name in partitions if name is not None}
    latest = instance.event_log_storage.get_latest_storage_id_by_partition(
        key, dg.DagsterEventType.ASSET_MATERIALIZATION, names
    )
    yield from (name for name, storage_id in latest.items() if storage_id >= first[0].storage_id)


def _error_class(
    instance: dg.DagsterInstance,
    backfill: PartitionBackfill,
    subject: Subject,
    left: Partitions,
    before: Mapping[Subject, Open],
) -> ErrorClass:
    counts = {key.to_user_string(): len(partitions) for key, partitions in sorted(left.items())}
    evidence = f"{backfill.backfill_id} {sum(counts.values())}"
    is_known = subject in before and before[subject].evidence == evidence
    return ErrorClass(
        subject,
        "ERROR",
        says="" if is_known else f"{_told(left)}: {_first_error(instance, backfill)}",  # it is written down already
        began_at=datetime.fromtimestamp(backfill.backfill_end_timestamp or backfill.backfill_timestamp, UTC),
        link=f"/runs/b/{backfill.backfill_id}",
        evidence=evidence,
        figures=counts,
        parts=counts.keys(),
    )


def _told(left: Partitions) -> str:
    """The partitions that are missing, by asset."""
    told = []
    for key, partitions in sorted(left.items()):
        names = sorted(name for name in partitions if name is not None)
        told.append(f"{key.to_user_string()} ({listed(names)})" if names else key.to_user_string())
    return f"not materialized: {', '.join(told)}"


def _first_error(instance: dg.DagsterInstance, backfill: PartitionBackfill) -> str:
    """Why the daemon gave up, else why the first of the runs failed."""
    if backfill.error is not None:
        return " ".join(innermost(backfill.error).split())[:LONGEST_REASON]
    runs = _failed_runs(instance, backfill)
    return reason_of_run(instance, runs[0].run_id) if runs else "none of its runs failed; their steps were skipped"


def _failed_runs(instance: dg.DagsterInstance, backfill: PartitionBackfill) -> list[dg.DagsterRun]:
    """The runs of a backfill that failed, the oldest first."""
    wanted = dg.RunsFilter(tags={BACKFILL_TAG: backfill.backfill_id}, statuses=[dg.DagsterRunStatus.FAILURE])
    return [*instance.get_runs(wanted, ascending=True)]
