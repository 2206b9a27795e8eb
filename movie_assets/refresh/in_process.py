"""Running one of Dagster's jobs in this process, and collecting its outcome as plain data."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

import dagster as dg

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.database.run_lock import run_lock
from movie_assets.definitions import definitions_for
from movie_assets.orchestration.console import CONSOLE
from movie_assets.orchestration.origin import origin_of
from movie_assets.refresh.outcome import CheckOutcome, DayOutcome
from movie_assets.runs.dagster_compat import MAX_RETRIES_TAG, USER_TAG, InMemoryJob, execute_run_iterator
from movie_assets.runs.metadata_tables import plain
from movie_assets.runs.run_time import LAUNCHED_BY_TAG

DAILY_JOBS = ("read_the_day", "read_the_lists", "read_list_snapshots")


class RecordedError(Protocol):
    """An error as Dagster records it, with its cause."""

    @property
    def message(self) -> str:
        """The error's class and message."""

    @property
    def cause(self) -> "RecordedError | None":
        """The error that caused this one, if there is one."""


def run_job(
    instance: dg.DagsterInstance,
    database: Database,
    outcome: DayOutcome,
    job: str,
    tags: dict[str, str],
    say: Callable[[str], None] = lambda _: None,
    config: Mapping[str, object] | None = None,
    assets: Sequence[str] | None = None,
) -> None:
    """Run a job and add its figures, checks and problems to the outcome. `say` gets the job's name as it begins.

    Raises KeyboardInterrupt when a signal ended the run.
    """
    say(job)
    events = execute(instance, database, job, tags, {**CONSOLE, **(config or {})}, assets)
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            materialization = event.step_materialization_data.materialization
            if materialization.partition is None or job in DAILY_JOBS:
                outcome.keep(materialization.asset_key.to_user_string(), _figures(materialization.metadata))
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            _keep_check(outcome, event.asset_check_evaluation_data)
    if not any(event.event_type == dg.DagsterEventType.RUN_SUCCESS for event in events):
        if any(_was_interrupted(event) for event in events):
            raise KeyboardInterrupt  # Dagster has recorded it; the jobs after this one must not begin
        outcome.failed_jobs.append(job)
        failures = _failures(events)
        outcome.failed_steps |= {where for where, _ in failures}
        outcome.problems += [f"{where}: {reason}" for where, reason in failures]


@cache
def _definitions() -> dg.Definitions:
    return definitions_for(Settings.from_env())


def execute(
    instance: dg.DagsterInstance,
    database: Database,
    job: str,
    tags: dict[str, str],
    config: Mapping[str, object],
    assets: Sequence[str] | None = None,
) -> list[dg.DagsterEvent]:
    """Make a run of a job, as the web server would, execute it in this process, and return its events.

    The run has the job's origin, so that Jobs and Timeline show it and it can be repeated from the web UI. Dagster's
    daemon does not repeat it when it fails: the next command or sensor does the rest of the work.
    """
    definition, run_id = _definitions().resolve_job_def(job), str(uuid.uuid4())
    launched_by = tags.get(LAUNCHED_BY_TAG, "movie-assets")
    with run_lock(database, run_id):
        run = instance.create_run_for_job(
            definition, run_id=run_id, run_config=config,
            tags={**definition.run_tags, USER_TAG: launched_by, MAX_RETRIES_TAG: "0", **tags},
            asset_selection=frozenset(dg.AssetKey(name) for name in assets) if assets else None,
            remote_job_origin=origin_of(job),
        )  # fmt: skip
        return list(execute_run_iterator(InMemoryJob(definition), run, instance))


def _keep_check(outcome: DayOutcome, evaluation: dg.AssetCheckEvaluation) -> None:
    asset = evaluation.asset_key.to_user_string()
    outcome.keep(f"{asset}:{evaluation.check_name}", _figures(evaluation.metadata))
    severity = evaluation.severity.value
    outcome.checks.append(
        CheckOutcome(asset, evaluation.check_name, evaluation.passed, severity, evaluation.description)
    )


def _was_interrupted(event: dg.DagsterEvent) -> bool:
    error = None
    if event.event_type == dg.DagsterEventType.STEP_FAILURE:
        error = event.step_failure_data.error
    elif event.event_type == dg.DagsterEventType.RUN_FAILURE:  # also while it waited for a pool
        error = event.job_failure_data.error
    while error is not None:
        if error.cls_name in ("DagsterExecutionInterruptedError", "KeyboardInterrupt"):
            return True
        error = error.cause
    return False


def _figures(metadata: Mapping[str, dg.MetadataValue[Any]]) -> dict[str, Any]:
    """Return metadata as plain data, without Markdown, which has charts for people."""
    return plain({name: value for name, value in metadata.items() if not isinstance(value, dg.MarkdownMetadataValue)})


def _failures(events: Sequence[dg.DagsterEvent]) -> list[tuple[str, str]]:
    """Return the failed steps of a run, or the run itself if no step began, each with the reason."""
    steps = [event for event in events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    if steps:
        return [(event.step_key or "", _reason(event)) for event in steps]
    runs = [event for event in events if event.event_type == dg.DagsterEventType.RUN_FAILURE]
    return [(event.job_name, _innermost(event.job_failure_data.error)) for event in runs]


def _reason(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return data.user_failure_data.description
    return _innermost(data.error)


def _innermost(error: RecordedError | None) -> str:
    """Return the message of the first cause of an error."""
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error is not None else "no reason was recorded"
