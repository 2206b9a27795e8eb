"""A day's work without the web UI: the same Dagster jobs, one after the other, in this process.

The web UI's schedules and sensors launch the same jobs; what each does is in its assets.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movie_assets.automation.console import CONSOLE
from movie_assets.definitions import defs
from movie_assets.moment import AS_OF_TAG, LAUNCHED_BY_TAG, noon_of
from movie_assets.outcome import CheckOutcome, DayOutcome, RefreshError
from movie_assets.partitions import BATCH_COUNT, batch_number, batch_of, batches, days
from movie_assets.resources.postgres import Database
from movie_assets.settings import Settings

REFRESH_LOCK = 0x6D61_7266
LAUNCHED_BY = {LAUNCHED_BY_TAG: "movie-assets refresh"}
LAUNCHED_BY_FETCH = "movie-assets fetch"
UNFINISHED = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
    dg.DagsterRunStatus.NOT_STARTED,
]


def refresh(
    database: Database,
    day: date,
    *,
    accept_unlike: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> DayOutcome:
    """Do a day's work: read the day, fetch what is due, read ratings that settings name, embed, publish, recommend.

    A day that is not today is worked on as of its noon (UTC). The steps after the first go on with what is
    there when one before them failed in part. Raises RefreshError when another refresh is at work.
    """
    if day.isoformat() not in set(days.get_partition_keys()):
        raise RefreshError(f"{day} is no day of the catalogue: days go from {days.start:%Y-%m-%d} to today (UTC)")
    outcome = DayOutcome(day)
    started = datetime.now(UTC)
    tags = dict(LAUNCHED_BY)
    if day != started.date():
        tags[AS_OF_TAG] = noon_of(day.isoformat())
    whole_range = _range(0, BATCH_COUNT - 1)
    config = {"ops": {"tmdb_export": {"config": {"accept_unlike": accept_unlike}}}}
    with _only_refresh(database), dg.DagsterInstance.get() as instance:
        _bury_the_dead(instance)
        _run(instance, outcome, "read_the_day", {**tags, "dagster/partition": day.isoformat()}, say, config)
        if not outcome.failed_jobs:
            _run(instance, outcome, "fetch_details", {**tags, **whole_range}, say)
            if rating_assets := Settings.from_env().rating_files.assets:
                _run(instance, outcome, "read_ratings", tags, say, assets=rating_assets)
            _run(instance, outcome, "embed_texts", {**tags, **whole_range}, say)
            _run(instance, outcome, "publish", tags, say)
            _run(instance, outcome, "recommend", tags, say)
    outcome.seconds = (datetime.now(UTC) - started).total_seconds()
    return outcome


def fetch(
    database: Database, tmdb_ids: Sequence[int], *, keep: bool, say: Callable[[str], None] = lambda _: None
) -> DayOutcome:
    """Fetch films now, whatever is due: details, vectors, publication. With `keep`, whatever their votes and age.

    Raises RefreshError when a refresh is at work.
    """
    started = datetime.now(UTC)
    outcome = DayOutcome(started.date())
    found = {batch_number(batch_of(tmdb_id)) for tmdb_id in tmdb_ids}
    tags = LAUNCHED_BY | _range(min(found), max(found))
    only_these = {"ops": {"movie_details": {"config": {"reasons": ["requested"]}}}}
    with _only_refresh(database), dg.DagsterInstance.get() as instance:
        _bury_the_dead(instance)
        database.execute("request_ids", tmdb_ids=list(tmdb_ids), keep=keep, requested_by=LAUNCHED_BY_FETCH)
        _run(instance, outcome, "fetch_details", tags, say, only_these)
        _run(instance, outcome, "embed_texts", tags, say)
        _run(instance, outcome, "publish", LAUNCHED_BY, say)
        _run(instance, outcome, "recommend", LAUNCHED_BY, say, assets=["watch_histories"])  # that named these films
    outcome.seconds = (datetime.now(UTC) - started).total_seconds()
    return outcome


def _range(first: int, last: int) -> dict[str, str]:
    names = batches.get_partition_keys()
    return {
        "dagster/asset_partition_range_start": names[first],
        "dagster/asset_partition_range_end": names[last],
    }


def _run(
    instance: dg.DagsterInstance,
    outcome: DayOutcome,
    job: str,
    tags: dict[str, str],
    say: Callable[[str], None],
    config: dict[str, Any] | None = None,
    assets: Sequence[str] | None = None,
) -> None:
    say(job)
    config = {**CONSOLE, **(config or {})}
    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance, run_config=config, tags=tags, raise_on_error=False,
        partition_key=tags.get("dagster/partition"),
        asset_selection=[dg.AssetKey(name) for name in assets] if assets else None,
    )  # fmt: skip
    for event in result.get_asset_materialization_events():
        materialization = event.step_materialization_data.materialization
        if materialization.partition is None or job == "read_the_day":
            outcome.figures[materialization.asset_key.to_user_string()] = _plain(materialization.metadata)
    for evaluation in result.get_asset_check_evaluations():
        asset = evaluation.asset_key.to_user_string()
        outcome.figures[f"{asset}:{evaluation.check_name}"] = _plain(evaluation.metadata)
        severity = evaluation.severity.value
        outcome.checks.append(
            CheckOutcome(asset, evaluation.check_name, evaluation.passed, severity, evaluation.description)
        )
    if not result.success:
        if any(_was_interrupted(event) for event in result.all_events):
            raise KeyboardInterrupt  # Dagster has recorded it; the steps after this one must not begin
        outcome.failed_jobs.append(job)
        outcome.problems += [f"{where}: {reason}" for where, reason in _failures(result)]


def _was_interrupted(event: dg.DagsterEvent) -> bool:
    error = event.step_failure_data.error if event.event_type_value == "STEP_FAILURE" else None
    while error is not None:
        if error.cls_name in ("DagsterExecutionInterruptedError", "KeyboardInterrupt"):
            return True
        error = error.cause
    return False


def _plain(metadata: Any) -> dict[str, Any]:
    return {name: value.value for name, value in metadata.items()}


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


@contextmanager
def _only_refresh(database: Database) -> Iterator[None]:
    """Let one refresh at a time work on a catalogue; the lock ends with the process, however it ends."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(REFRESH_LOCK))):
            raise RefreshError("another refresh is working on this catalogue; wait for it or stop it")
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(REFRESH_LOCK)))


def _bury_the_dead(instance: dg.DagsterInstance) -> None:
    """Report runs of a refresh that was killed as failed: only one refresh lives, and that is this one."""
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, tags=LAUNCHED_BY)):
        instance.report_run_failed(run, "The process that ran it has ended without a word (killed?).")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
