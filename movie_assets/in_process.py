"""A job of Dagster's run in this process, and what it did as plain data."""

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from movie_assets.assets.shown_tables import plain
from movie_assets.automation.console import CONSOLE
from movie_assets.definitions import defs
from movie_assets.outcome import CheckOutcome, DayOutcome

DAILY_JOBS = ("read_the_day", "read_the_lists")


def run_job(
    instance: dg.DagsterInstance,
    outcome: DayOutcome,
    job: str,
    tags: dict[str, str],
    say: Callable[[str], None] = lambda _: None,
    config: dict[str, Any] | None = None,
    assets: Sequence[str] | None = None,
) -> None:
    """Run a job and add what it did to the outcome: figures, checks, why it failed.

    Raises KeyboardInterrupt when a signal ended the run.
    """
    say(job)
    config = {**CONSOLE, **(config or {})}
    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance, run_config=config, tags=tags, raise_on_error=False,
        partition_key=tags.get("dagster/partition"),
        asset_selection=[dg.AssetKey(name) for name in assets] if assets else None,
    )  # fmt: skip
    for event in result.get_asset_materialization_events():
        materialization = event.step_materialization_data.materialization
        if materialization.partition is None or job in DAILY_JOBS:
            outcome.keep(materialization.asset_key.to_user_string(), plain(materialization.metadata))
    for evaluation in result.get_asset_check_evaluations():
        asset = evaluation.asset_key.to_user_string()
        outcome.keep(f"{asset}:{evaluation.check_name}", plain(evaluation.metadata))
        severity = evaluation.severity.value
        outcome.checks.append(
            CheckOutcome(asset, evaluation.check_name, evaluation.passed, severity, evaluation.description)
        )
    if not result.success:
        if any(_was_interrupted(event) for event in result.all_events):
            raise KeyboardInterrupt  # Dagster has recorded it; the steps after this one must not begin
        outcome.failed_jobs.append(job)
        failures = _failures(result)
        outcome.failed_steps |= {where for where, _ in failures}
        outcome.problems += [f"{where}: {reason}" for where, reason in failures]


def _was_interrupted(event: dg.DagsterEvent) -> bool:
    error = event.step_failure_data.error if event.event_type_value == "STEP_FAILURE" else None
    while error is not None:
        if error.cls_name in ("DagsterExecutionInterruptedError", "KeyboardInterrupt"):
            return True
        error = error.cause
    return False


def _failures(result: dg.ExecuteInProcessResult) -> list[tuple[str, str]]:
    """The steps of a run that failed, or the run itself if it did not come to a step, each with its reason."""
    steps = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    if steps:
        return [(event.step_key or "", _reason(event)) for event in steps]
    runs = [event for event in result.all_events if event.event_type == dg.DagsterEventType.RUN_FAILURE]
    return [(event.job_name, _innermost(event.job_failure_data.error)) for event in runs]


def _reason(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return data.user_failure_data.description
    return _innermost(data.error)


def _innermost(error: Any) -> str:
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error is not None else "no reason was recorded"
