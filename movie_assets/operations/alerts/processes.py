"""Observes sensors, schedules, the parts of the daemon and the freshness of assets in Dagster's records."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import dagster as dg

from movie_assets.operations.alerts.decisions import (
    SENSOR_TICKS,
    Instigator,
    Problem,
    Subject,
    instigator_problem,
    is_stalled,
)
from movie_assets.runs.dagster_compat import (
    FreshnessState,
    FreshnessStateRecord,
    InstigatorState,
    InstigatorStatus,
    InstigatorTick,
    TickStatus,
    TimeWindowFreshnessPolicy,
)

Default = dg.DefaultSensorStatus | dg.DefaultScheduleStatus
DEFAULT_INTERVAL = 30  # seconds; Dagster's for a sensor that declares none
MAX_ERROR_LENGTH = 300  # characters
CATCH_UP_TIME = timedelta(hours=1)  # after downtime: until the schedule's next tick, and for the runs of a day


def observe_instigators(
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
    location: str,
    own_name: str,
    steady: datetime,
    now: datetime,
) -> tuple[list[Problem], list[Subject]]:
    """Return the problems of sensors and schedules that were ever switched on, and the healthy ones.

    The alerts' own sensor (`own_name`) is left out, as it cannot report that it has stopped. `steady` is the time since
    which the daemon has ticked without a gap.
    """
    problems, healthy = [], []
    for instigator in _instigators(instance, repository, location):
        if instigator.subject.name == own_name:
            continue
        problem = instigator_problem(instigator, steady, now)
        if problem is None:
            healthy.append(instigator.subject)
            continue
        severity, message = problem
        kind, _, name = instigator.subject
        link = f"/locations/{quote(location)}/{kind}s/{quote(name)}"
        since = instigator.ticked_at or now
        problems.append(Problem(instigator.subject, severity, message, since, link, evidence=message))
    return problems, healthy


def _instigators(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, location: str
) -> Iterator[Instigator]:
    if instance.schedule_storage is None:
        return  # an instance in memory has no sensors or schedules
    intervals = {
        sensor.name: timedelta(seconds=sensor.minimum_interval_seconds or DEFAULT_INTERVAL)
        for sensor in repository.sensor_defs
    }
    jobs = {schedule.name: schedule.job_name for schedule in repository.schedule_defs}
    defaults: dict[str, Default] = {sensor.name: sensor.default_status for sensor in repository.sensor_defs}
    defaults |= {schedule.name: schedule.default_status for schedule in repository.schedule_defs}
    states = [
        state
        for state in instance.all_instigator_state()
        if state.instigator_name in defaults and state.repository_selector.location_name == location
    ]
    ticks = instance.get_batch_ticks([state.selector_id for state in states], limit=SENSOR_TICKS + 1)
    for state in states:
        name = state.instigator_name
        instigator = _instigator(state, defaults[name], [*ticks.get(state.selector_id, ())], intervals.get(name))
        failures = instigator.tick_failures
        failed_job = jobs.get(name) if failures and failures[0] else None
        succeeded_at = _last_success(instance, failed_job) if failed_job else None
        yield replace(instigator, job_succeeded_at=succeeded_at)


def _last_success(instance: dg.DagsterInstance, job: str) -> datetime | None:
    """Return when the last successful run of a job began; None without one."""
    runs = instance.get_run_records(dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1)
    return datetime.fromtimestamp(runs[0].start_time, UTC) if runs and runs[0].start_time else None


def _instigator(
    state: InstigatorState, default: Default, ticks: list[InstigatorTick], interval: timedelta | None
) -> Instigator:
    ended = [tick for tick in ticks if tick.status != TickStatus.STARTED]
    error = ended[0].error if ended else None
    return Instigator(
        Subject("sensor" if interval else "schedule", "", state.instigator_name),
        is_on=_is_on(state.status, default),
        tick_failures=[tick.status == TickStatus.FAILURE for tick in ended],
        ticked_at=datetime.fromtimestamp(ticks[0].timestamp, UTC) if ticks else None,
        error=" ".join(error.message.split())[:MAX_ERROR_LENGTH] if error else "",
        interval=interval,
    )


def _is_on(status: InstigatorStatus, default: Default) -> bool:
    """Return whether the daemon treats it as on: without a choice of a person, by what the code declares now."""
    if status == InstigatorStatus.DECLARED_IN_CODE:
        return default in (dg.DefaultSensorStatus.RUNNING, dg.DefaultScheduleStatus.RUNNING)
    return status == InstigatorStatus.RUNNING


def observe_daemons(
    instance: dg.DagsterInstance, steady: datetime, now: datetime
) -> tuple[list[Problem], list[Subject]]:
    """Return the problems of stalled parts of the daemon (scheduler, run queue, …), and the healthy parts."""
    problems, healthy = [], []
    required = set(instance.get_required_daemon_types())
    for name, heartbeat in instance.get_daemon_heartbeats().items():
        if name not in required:
            continue
        subject = Subject("daemon", "", name)
        beat_at = datetime.fromtimestamp(heartbeat.timestamp, UTC)
        if is_stalled(beat_at, steady, now):
            message = f"this part of dagster-daemon has sent no heartbeat since {beat_at:%Y-%m-%d %H:%M} UTC"
            problems.append(Problem(subject, "ERROR", message, beat_at, "/deployment/daemons", evidence=message))
        else:
            healthy.append(subject)
    return problems, healthy


def assets_with_freshness(repository: dg.RepositoryDefinition) -> list[dg.AssetKey]:
    """Return the keys of the assets with a freshness policy."""
    graph = repository.asset_graph
    return [key for key in graph.materializable_asset_keys if graph.get(key).freshness_policy is not None]


def observe_freshness(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, steady: datetime, now: datetime
) -> tuple[list[Problem], list[Subject]]:  # fmt: skip
    """Return a problem for each late asset, with its age and the age that is allowed; and the fresh assets.

    No asset counts as late while the daemon catches up after downtime.
    """
    keys = assets_with_freshness(repository)
    states = instance.get_freshness_state_records(keys) if keys else {}
    fresh = [_freshness_of(key) for key, state in states.items() if state.freshness_state == FreshnessState.PASS]
    if now - steady < CATCH_UP_TIME:
        return [], fresh
    late = {
        key: state
        for key, state in states.items()
        if state.freshness_state in (FreshnessState.WARN, FreshnessState.FAIL)
    }
    ages = _ages(instance, list(late), now)
    policies = {key: repository.asset_graph.get(key).freshness_policy for key in late}
    return [_lateness(key, state, policies[key], ages.get(key)) for key, state in late.items()], fresh


def _freshness_of(key: dg.AssetKey) -> Subject:
    return Subject("freshness", "", key.to_user_string())


def _ages(instance: dg.DagsterInstance, keys: list[dg.AssetKey], now: datetime) -> dict[dg.AssetKey, timedelta]:
    """Return the time since the last materialization of each asset, as Dagster's daemon computes it."""
    entries = [record.asset_entry for record in (instance.get_asset_records(keys) if keys else ())]
    last = {entry.asset_key: entry.last_materialization_record for entry in entries}
    return {key: now - datetime.fromtimestamp(record.timestamp, UTC) for key, record in last.items() if record}


def _lateness(key: dg.AssetKey, state: FreshnessStateRecord, policy: object, age: timedelta | None) -> Problem:
    subject = _freshness_of(key)
    is_late = state.freshness_state == FreshnessState.FAIL
    message = "it is older than its freshness policy allows" if is_late else "it will soon be too old"
    window = _window(policy, is_late=is_late)
    figures = {"hours_old": age, "hours_allowed": window}
    return Problem(
        subject,
        "ERROR" if is_late else "WARN",
        message,
        state.updated_at,
        f"/assets/{quote(subject.name)}?view=overview",
        evidence=state.freshness_state.value,
        expected=f"Materialized again within {_hours(window):g} hours." if window else "",
        figures={name: _hours(length) for name, length in figures.items() if length},
    )


def _window(policy: object, *, is_late: bool) -> timedelta | None:
    """Return the window of the policy that was exceeded; None if the policy has no such window."""
    if not isinstance(policy, TimeWindowFreshnessPolicy):
        return None
    exceeded = policy.fail_window if is_late else policy.warn_window
    return exceeded.to_timedelta() if exceeded else None


def _hours(length: timedelta) -> float:
    return round(length.total_seconds() / 3600, 1)


def names_in(repository: dg.RepositoryDefinition, instance: dg.DagsterInstance | None) -> set[str]:
    """Return every name that an alert can have: alerts are muted by it."""
    graph = repository.asset_graph
    return {
        *(key.name for key in graph.asset_check_keys),
        *(key.to_user_string() for key in graph.get_all_asset_keys()),
        *(name for name in repository.job_names if not name.startswith("__")),
        *(sensor.name for sensor in repository.sensor_defs),
        *(schedule.name for schedule in repository.schedule_defs),
        *(instance.get_required_daemon_types() if instance else ()),
    }
