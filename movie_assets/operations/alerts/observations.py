"""What Dagster's records say of checks and runs. What is made of it is decisions.py; sensors are in machinery.py."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import dagster as dg

from movie_assets.operations.alerts.backfills import BACKFILL_TAG, backfills_known
from movie_assets.operations.alerts.decisions import EndedRun, ErrorClass, Open, Severity, Subject, broken_runs
from movie_assets.operations.alerts.reasons import reason_of_run
from movie_assets.operations.health.findings import PARTS
from movie_assets.runs.dagster_compat import (
    COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES,
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)
from movie_assets.runs.locations import is_run_of
from movie_assets.runs.partitions import batches

ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
LOOK_BACK = timedelta(days=7)
MAX_RUNS = 500
MAX_EVALUATIONS = 100  # that "since when" is looked for in
LONGEST_TEXT = 60  # of a figure that is a word; longer ones are tables
AD_HOC_JOB = "__ASSET_JOB"  # Dagster's name of runs of whatever assets a person chose


def observe_checks(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, before: Mapping[Subject, Open]
) -> tuple[list[ErrorClass], list[Subject]]:
    """Each check by its last evaluation: those that fail, and those that pass."""
    graph = repository.asset_graph
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(graph.asset_check_keys))
    broken, well = [], []
    for key in sorted(graph.asset_check_keys, key=lambda key: (key.asset_key.to_user_string(), key.name)):
        last = _last_completed(instance, key, found.get(key))
        if last is None or last.evaluation is None:
            continue  # never evaluated
        subject = Subject("check", key.asset_key.to_user_string(), key.name)
        if last.status == AssetCheckExecutionRecordStatus.SUCCEEDED:
            well.append(subject)
            continue
        expected = graph.get_check_spec(key).description or ""
        known = before.get(subject)
        began_at = _at(last.create_timestamp) if known else _failing_since(instance, last)
        broken.append(
            ErrorClass(
                subject,
                _severity(last.evaluation.severity),
                says=last.evaluation.description or "it does not hold",
                began_at=began_at,
                link=f"/assets/{quote(subject.place)}?view=checks&checkDetail={quote(subject.name)}",
                evidence=str(last.id),
                expected=expected,
                figures=_figures(last.evaluation.metadata),
                parts=_parts(last.evaluation.metadata),
            )
        )
    return broken, well


def _last_completed(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, last: AssetCheckExecutionRecord | None
) -> AssetCheckExecutionRecord | None:
    """The last evaluation: a run that is at work, or that died, has only announced one."""
    if last is None or last.status in COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES:
        return last
    found = instance.event_log_storage.get_asset_check_execution_history(
        key, limit=1, status=COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES
    )
    return found[0] if found else None


def _failing_since(instance: dg.DagsterInstance, last: AssetCheckExecutionRecord) -> datetime:
    """When the first of the failures in a row was seen."""
    since = last
    history = instance.event_log_storage.get_asset_check_execution_history(
        last.key, limit=MAX_EVALUATIONS, status=COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES
    )
    for earlier in history:
        if earlier.status == AssetCheckExecutionRecordStatus.SUCCEEDED:
            break
        since = earlier
    return _at(since.event.timestamp if since.event else since.create_timestamp)


def observe_runs(
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
    location: str,
    before: Mapping[Subject, Open],
    now: datetime,
) -> tuple[list[ErrorClass], list[Subject]]:
    """Each job by its last runs: those that failed, and those that are well.

    Runs of other locations say nothing, nor do failures that the alert of a backfill or of a check tells.
    """
    records = instance.get_run_records(dg.RunsFilter(statuses=ENDED, updated_after=now - LOOK_BACK), limit=MAX_RUNS)
    ours = [record for record in records if is_run_of(location, record.dagster_run)]
    backfills = backfills_known(instance, (record.dagster_run for record in ours))
    told = [record for record in ours if not _is_told_otherwise(instance, record.dagster_run, backfills)]
    runs = [*_ended(told, repository)]
    runs += _failed_long_ago(instance, repository, before, {run.run_id for run in runs})
    failures, well = broken_runs(runs)
    broken = []
    for name, (run, since) in failures.items():
        subject = Subject("job", "", name)
        is_known = subject in before and before[subject].evidence == run.run_id
        says = "" if is_known else reason_of_run(instance, run.run_id)  # it is written down already
        broken.append(ErrorClass(subject, "ERROR", says, since, f"/runs/{run.run_id}", run.run_id))
    return broken, [Subject("job", "", name) for name in well]


def _failed_long_ago(
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
    before: Mapping[Subject, Open],
    recent: Collection[str],
) -> Iterator[EndedRun]:
    """The runs that opened alerts are of and that ended before all that is looked at, so that these find their end.

    Of one that was deleted, its name still tells the assets.
    """
    wanted = {
        known.evidence: subject.name
        for subject, known in before.items()
        if subject.kind == "job" and known.evidence not in recent
    }
    if not wanted:
        return
    found = [*_ended(instance.get_run_records(dg.RunsFilter(run_ids=[*wanted])), repository)]
    yield from (run for run in found if run.failed)
    for run_id in wanted.keys() - {run.run_id for run in found}:
        name = wanted[run_id]
        yield EndedRun(run_id, name, _assets_of(name, repository), frozenset(), _at(0), failed=True)


def _assets_of(name: str, repository: dg.RepositoryDefinition) -> frozenset[str]:
    """What _name has made of runs, read backwards."""
    if repository.has_job(name):
        return frozenset(key.to_user_string() for key in repository.get_job(name).asset_layer.selected_asset_keys)
    kind, _, names = name.partition(" ")
    checks = repository.asset_graph.asset_check_keys if kind == "checks" else ()
    of_checks = {key.asset_key.to_user_string() for key in checks if key.name in names.split(", ")}
    return frozenset(names.split(", ") if kind == "assets" else of_checks)


def _ended(records: Collection[dg.RunRecord], repository: dg.RepositoryDefinition) -> Iterator[EndedRun]:
    for record in records:
        run = record.dagster_run
        assets = _assets(run, repository)
        ended = record.end_time or record.update_timestamp.replace(tzinfo=UTC).timestamp()
        yield EndedRun(
            run.run_id,
            _name(run),
            assets,
            _batches(run.tags),
            _at(ended),
            run.status == dg.DagsterRunStatus.FAILURE,
            run.root_run_id or "",
        )


def _is_told_otherwise(instance: dg.DagsterInstance, run: dg.DagsterRun, backfills: Collection[str]) -> bool:
    """Whether a run failed as part of a backfill, or only because a blocking check did that was executed alone."""
    if run.status != dg.DagsterRunStatus.FAILURE:
        return False
    wanted = {(check.asset_key, check.name) for check in run.asset_check_selection or ()}
    if run.asset_selection or not wanted:
        return run.tags.get(BACKFILL_TAG) in backfills
    records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    events = [record.event_log_entry.dagster_event for record in records]
    seen = [event.asset_check_evaluation_data for event in events if event is not None]
    return {(each.asset_key, each.check_name) for each in seen} == wanted


def _batches(tags: Mapping[str, str]) -> frozenset[str]:
    """The batches of a run; runs on days, or on no partition, have none."""
    one = tags.get("dagster/partition", "")
    first, last = (tags.get(f"dagster/asset_partition_range_{end}", one) for end in ("start", "end"))
    names = batches.get_partition_keys()
    return frozenset(name for name in names if first <= name <= last) if {first, last} <= set(names) else frozenset()


def _name(run: dg.DagsterRun) -> str:
    """What a run is called: its job, or the assets that a person chose, or the checks, when it was only those."""
    if run.job_name != AD_HOC_JOB:
        return run.job_name
    if run.asset_selection:
        return f"assets {', '.join(sorted(key.to_user_string() for key in run.asset_selection))}"
    return f"checks {', '.join(sorted(key.name for key in run.asset_check_selection or ()))}"


def _assets(run: dg.DagsterRun, repository: dg.RepositoryDefinition) -> frozenset[str]:
    """The assets that a run was to make or to check; none, when nobody knows its job any more."""
    keys = {*(run.asset_selection or ()), *(check.asset_key for check in run.asset_check_selection or ())}
    return frozenset(key.to_user_string() for key in keys) or _assets_of(run.job_name, repository)


def _figures(metadata: Mapping[str, Any]) -> dict[str, float | str]:
    """The numbers and short words of a check's metadata, as it names them."""
    plain = {name: value.value for name, value in metadata.items()}
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in plain.items()
        if (isinstance(value, int | float) and not isinstance(value, bool))
        or (isinstance(value, str) and len(value) <= LONGEST_TEXT)
    }


def _parts(metadata: Mapping[str, Any]) -> Collection[str]:
    """Of a check of many things: the names of those that are broken."""
    return metadata[PARTS].value if PARTS in metadata else ()


def _severity(severity: dg.AssetCheckSeverity) -> Severity:
    return "WARN" if severity == dg.AssetCheckSeverity.WARN else "ERROR"


def _at(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
