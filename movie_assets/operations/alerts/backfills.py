"""Finds backfills that failed, and the partitions of them that have not been materialized since.

A backfill can fail without a failed run: its steps were skipped, or the daemon could not launch it. Its launcher wants
one alert however many runs it has. So a backfill has one alert, and failures of its runs have none.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import dagster as dg

from movie_assets.operations.alerts.decisions import OpenAlert, Problem, Subject
from movie_assets.operations.alerts.reasons import MAX_REASON_LENGTH, innermost_message, reason_of_run
from movie_assets.runs.batch_runs import listed
from movie_assets.runs.dagster_compat import BulkActionsFilter, BulkActionStatus, PartitionBackfill

BACKFILL_TAG = "dagster/backfill"
RUNNING = [BulkActionStatus.REQUESTED, BulkActionStatus.FAILING]
FAILED = [BulkActionStatus.COMPLETED_FAILED, BulkActionStatus.FAILED]
MAX_BACKFILLS = 100
Partitions = Mapping[dg.AssetKey, set[str | None]]  # None: an asset without partitions


def observe_backfills(
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
    before: Mapping[Subject, OpenAlert],
    since: datetime,
) -> tuple[list[Problem], list[Subject]]:
    """Return a problem for each backfill with failed partitions that are still missing, and the healthy backfills.

    A backfill is named by its assets, so another backfill of the same assets continues the same alert.
    """
    problems: dict[Subject, Problem] = {}
    observed = set()
    for backfill in _backfills(instance, before, since):
        targets = _targets(backfill, repository)
        if not targets or not targets.keys() <= repository.asset_graph.get_all_asset_keys():
            continue  # of another code location, or of assets that no longer exist
        subject = Subject("backfill", "", ", ".join(sorted(key.to_user_string() for key in targets)))
        observed.add(subject)
        failed = targets if backfill.status in FAILED else {}
        if backfill.status in RUNNING:
            failed = _failed_so_far(instance, backfill, repository, targets)
        if missing := _not_materialized_since(instance, failed, backfill.backfill_timestamp):
            problems[subject] = _problem(instance, backfill, subject, missing, before)
    return list(problems.values()), list(observed - problems.keys())


def recorded_backfills(instance: dg.DagsterInstance, runs: Iterable[dg.DagsterRun]) -> set[str]:
    """Return the ids of those backfills of runs that Dagster's records still have."""
    ids = {run.tags[BACKFILL_TAG] for run in runs if BACKFILL_TAG in run.tags}
    return {backfill_id for backfill_id in ids if instance.get_backfill(backfill_id) is not None}


def _backfills(
    instance: dg.DagsterInstance, before: Mapping[Subject, OpenAlert], since: datetime
) -> list[PartitionBackfill]:
    """Return the backfills that are running, were created since then, or have an open alert; the oldest first."""
    recent = instance.get_backfills(BulkActionsFilter(created_after=since), limit=MAX_BACKFILLS)
    running = instance.get_backfills(BulkActionsFilter(statuses=RUNNING), limit=MAX_BACKFILLS)
    alerted = {alert.evidence.partition(" ")[0] for subject, alert in before.items() if subject.kind == "backfill"}
    of_alerts = [instance.get_backfill(backfill_id) for backfill_id in alerted]
    by_id = {backfill.backfill_id: backfill for backfill in (*recent, *running, *of_alerts) if backfill is not None}
    return sorted(by_id.values(), key=lambda backfill: backfill.backfill_timestamp)


def _targets(backfill: PartitionBackfill, repository: dg.RepositoryDefinition) -> Partitions:
    """Return the partitions of each asset that a backfill is to materialize; an empty mapping if they are unknown."""
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
    targets: Partitions,
) -> Partitions:
    """Return the partitions of a running backfill whose runs failed."""
    failed = defaultdict[dg.AssetKey, set[str | None]](set)
    for run in _failed_runs(instance, backfill):
        keys = run.asset_selection or targets.keys()
        for key in keys & targets.keys():
            failed[key] |= targets[key] & _partitions_of(run, repository.asset_graph.get(key).partitions_def)
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


def _not_materialized_since(instance: dg.DagsterInstance, partitions: Partitions, start: float) -> Partitions:
    """Return those of the partitions that no run has materialized since the timestamp `start`."""
    missing = {key: names - set(_materialized_since(instance, key, names, start)) for key, names in partitions.items()}
    return {key: names for key, names in missing.items() if names}


def _materialized_since(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: set[str | None], start: float
) -> Iterator[str | None]:
    later = dg.AssetRecordsFilter(asset_key=key, after_timestamp=start)
    first = instance.fetch_materializations(later, limit=1, ascending=True).records
    if not first:
        return
    if None in partitions:
        yield None
    names = {name for name in partitions if name is not None}
    latest = instance.event_log_storage.get_latest_storage_id_by_partition(
        key, dg.DagsterEventType.ASSET_MATERIALIZATION, names
    )
    yield from (name for name, storage_id in latest.items() if storage_id >= first[0].storage_id)


def _problem(
    instance: dg.DagsterInstance,
    backfill: PartitionBackfill,
    subject: Subject,
    missing: Partitions,
    before: Mapping[Subject, OpenAlert],
) -> Problem:
    counts = {key.to_user_string(): len(partitions) for key, partitions in sorted(missing.items())}
    evidence = f"{backfill.backfill_id} {sum(counts.values())}"
    is_known = subject in before and before[subject].evidence == evidence
    return Problem(
        subject,
        "ERROR",
        message="" if is_known else f"{_missing(missing)}: {_first_error(instance, backfill)}",  # it is stored already
        began_at=datetime.fromtimestamp(backfill.backfill_end_timestamp or backfill.backfill_timestamp, UTC),
        link=f"/runs/b/{backfill.backfill_id}",
        evidence=evidence,
        figures=counts,
        parts=counts.keys(),
    )


def _missing(missing: Partitions) -> str:
    """Return the missing partitions of each asset, for people."""
    assets = []
    for key, partitions in sorted(missing.items()):
        names = sorted(name for name in partitions if name is not None)
        assets.append(f"{key.to_user_string()} ({listed(names)})" if names else key.to_user_string())
    return f"not materialized: {', '.join(assets)}"


def _first_error(instance: dg.DagsterInstance, backfill: PartitionBackfill) -> str:
    """Return the reason why the daemon gave up, or why the first failed run failed."""
    if backfill.error is not None:
        return " ".join(innermost_message(backfill.error).split())[:MAX_REASON_LENGTH]
    runs = _failed_runs(instance, backfill)
    return reason_of_run(instance, runs[0].run_id) if runs else "none of its runs failed; their steps were skipped"


def _failed_runs(instance: dg.DagsterInstance, backfill: PartitionBackfill) -> list[dg.DagsterRun]:
    """Return the failed runs of a backfill, the oldest first."""
    failed = dg.RunsFilter(tags={BACKFILL_TAG: backfill.backfill_id}, statuses=[dg.DagsterRunStatus.FAILURE])
    return [*instance.get_runs(failed, ascending=True)]
