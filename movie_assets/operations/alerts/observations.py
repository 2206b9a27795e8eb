"""Observes checks and runs in Dagster's records; `processes` observes sensors, schedules, daemons and freshness."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import dagster as dg

from movie_assets.operations.alerts.backfills import BACKFILL_TAG, recorded_backfills
from movie_assets.operations.alerts.decisions import (
    EndedRun,
    OpenAlert,
    Problem,
    Severity,
    Subject,
    unresolved_failures,
)
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
MAX_EVALUATIONS = 100  # among which the first failure in a row is searched
MAX_TEXT_LENGTH = 60  # characters of a figure that is a text
AD_HOC_JOB = "__ASSET_JOB"  # Dagster's job of runs of assets that a person selected


def observe_checks(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, before: Mapping[Subject, OpenAlert]
) -> tuple[list[Problem], list[Subject]]:
    """Return a problem for each check whose last evaluation failed, and the checks whose last evaluation passed."""
    graph = repository.asset_graph
    records = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(graph.asset_check_keys))
    problems, healthy = [], []
    for key in sorted(graph.asset_check_keys, key=lambda key: (key.asset_key.to_user_string(), key.name)):
        last = _last_completed(instance, key, records.get(key))
        if last is None or last.evaluation is None:
            continue  # never evaluated
        subject = Subject("check", key.asset_key.to_user_string(), key.name)
        if last.status == AssetCheckExecutionRecordStatus.SUCCEEDED:
            healthy.append(subject)
            continue
        began_at = _at(last.create_timestamp) if subject in before else _failing_since(instance, last)
        problems.append(
            Problem(
                subject,
                _severity(last.evaluation.severity),
                message=last.evaluation.description or "the check failed",
                began_at=began_at,
                link=f"/assets/{quote(subject.place)}?view=checks&checkDetail={quote(subject.name)}",
                evidence=str(last.id),
                expected=graph.get_check_spec(key).description or "",
                figures=figures_of(last.evaluation.metadata),
                parts=_parts(last.evaluation.metadata),
            )
        )
    return problems, healthy


def _last_completed(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, last: AssetCheckExecutionRecord | None
) -> AssetCheckExecutionRecord | None:
    """Return the last completed evaluation. `last` is only planned while its run works, or when its run was killed."""
    if last is None or last.status in COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES:
        return last
    completed = instance.event_log_storage.get_asset_check_execution_history(
        key, limit=1, status=COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES
    )
    return completed[0] if completed else None


def _failing_since(instance: dg.DagsterInstance, last: AssetCheckExecutionRecord) -> datetime:
    """Return the time of the first of the failures in a row that end with the last evaluation."""
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
    before: Mapping[Subject, OpenAlert],
    now: datetime,
) -> tuple[list[Problem], list[Subject]]:
    """Return a problem for each job with an unresolved failure, and the healthy jobs.

    Runs of other code locations are left out, as are failures that the alert of a backfill or of a check reports.
    """
    records = instance.get_run_records(dg.RunsFilter(statuses=ENDED, updated_after=now - LOOK_BACK), limit=MAX_RUNS)
    ours = [record for record in records if is_run_of(location, record.dagster_run)]
    backfills = recorded_backfills(instance, (record.dagster_run for record in ours))
    relevant = [record for record in ours if not _is_reported_elsewhere(instance, record.dagster_run, backfills)]
    runs = [*_ended(relevant, repository)]
    runs += _failed_long_ago(instance, repository, before, {run.run_id for run in runs})
    failures, healthy = unresolved_failures(runs)
    problems = []
    for name, (run, since) in failures.items():
        subject = Subject("job", "", name)
        is_known = subject in before and before[subject].evidence == run.run_id
        message = "" if is_known else reason_of_run(instance, run.run_id)  # it is stored already
        problems.append(Problem(subject, "ERROR", message, since, f"/runs/{run.run_id}", run.run_id))
    return problems, [Subject("job", "", name) for name in healthy]


def _failed_long_ago(
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
    before: Mapping[Subject, OpenAlert],
    recent: Collection[str],
) -> Iterator[EndedRun]:
    """Return the failed runs of open alerts that are not among the recent runs, so that their alerts can recover.

    The assets of a run that was deleted are derived from the alert's name.
    """
    names = {
        alert.evidence: subject.name
        for subject, alert in before.items()
        if subject.kind == "job" and alert.evidence not in recent
    }
    if not names:
        return
    runs = [*_ended(instance.get_run_records(dg.RunsFilter(run_ids=[*names])), repository)]
    yield from (run for run in runs if run.failed)
    for run_id in names.keys() - {run.run_id for run in runs}:
        name = names[run_id]
        yield EndedRun(run_id, name, _assets_of(name, repository), frozenset(), _at(0), failed=True)


def _assets_of(name: str, repository: dg.RepositoryDefinition) -> frozenset[str]:
    """Return the assets of the runs to which `_name` gives this name."""
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


def _is_reported_elsewhere(instance: dg.DagsterInstance, run: dg.DagsterRun, backfills: Collection[str]) -> bool:
    """Return whether a run failed as part of a backfill, or only because a blocking check failed that ran alone."""
    if run.status != dg.DagsterRunStatus.FAILURE:
        return False
    selected = {(check.asset_key, check.name) for check in run.asset_check_selection or ()}
    if run.asset_selection or not selected:
        return run.tags.get(BACKFILL_TAG) in backfills
    records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    events = [record.event_log_entry.dagster_event for record in records]
    evaluated = [event.asset_check_evaluation_data for event in events if event is not None]
    return {(each.asset_key, each.check_name) for each in evaluated} == selected


def _batches(tags: Mapping[str, str]) -> frozenset[str]:
    """Return the batches of a run from its tags; none for a run on days or without partitions."""
    one = tags.get("dagster/partition", "")
    first, last = (tags.get(f"dagster/asset_partition_range_{end}", one) for end in ("start", "end"))
    names = batches.get_partition_keys()
    return frozenset(name for name in names if first <= name <= last) if {first, last} <= set(names) else frozenset()


def _name(run: dg.DagsterRun) -> str:
    """Return the name of a run in alerts: its job, or the assets or checks that a person selected."""
    if run.job_name != AD_HOC_JOB:
        return run.job_name
    if run.asset_selection:
        return f"assets {', '.join(sorted(key.to_user_string() for key in run.asset_selection))}"
    return f"checks {', '.join(sorted(key.name for key in run.asset_check_selection or ()))}"


def _assets(run: dg.DagsterRun, repository: dg.RepositoryDefinition) -> frozenset[str]:
    """Return the assets that a run was to materialize or check; none if its job no longer exists."""
    keys = {*(run.asset_selection or ()), *(check.asset_key for check in run.asset_check_selection or ())}
    return frozenset(key.to_user_string() for key in keys) or _assets_of(run.job_name, repository)


def figures_of(metadata: Mapping[str, dg.MetadataValue[Any]]) -> dict[str, float | str]:
    """Return the numbers and short texts of a check's metadata, by their names."""
    values = {name: value.value for name, value in metadata.items()}
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in values.items()
        if (isinstance(value, int | float) and not isinstance(value, bool))
        or (isinstance(value, str) and len(value) <= MAX_TEXT_LENGTH)
    }


def _parts(metadata: Mapping[str, dg.MetadataValue[Any]]) -> Collection[str]:
    """Return the names of the broken parts of a check of several things; nothing for other checks."""
    parts = metadata[PARTS].value if PARTS in metadata else ()
    return [str(part) for part in parts] if isinstance(parts, Sequence) else ()


def _severity(severity: dg.AssetCheckSeverity) -> Severity:
    return "WARN" if severity == dg.AssetCheckSeverity.WARN else "ERROR"


def _at(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
