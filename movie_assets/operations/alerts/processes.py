"""What Dagster's records say of those who launch: sensors, schedules, the daemon's parts; and of freshness."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import dagster as dg

from movie_assets.operations.alerts.decisions import (
    SENSOR_TICKS,
    ErrorClass,
    Instigator,
    Subject,
    instigator_error,
    is_still,
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
USUAL_INTERVAL = 30  # seconds; Dagster's, for a sensor that names none
LONGEST_ERROR = 300
CATCHING_UP = timedelta(hours=1)  # after downtime: the schedule's next quarter of an hour, and the runs of a day


def observe_instigators(
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
    location: str,
    oneself: str,
    steady: datetime,
    now: datetime,
) -> tuple[list[ErrorClass], list[Subject]]:
    """The sensors and schedules that were ever on, but for the alerts' own, which cannot report its end."""
    broken, well = [], []
    for instigator in _rhythms(instance, repository, location):
        if instigator.subject.name == oneself:
            continue
        error_class = instigator_error(instigator, steady, now)
        if error_class is None:
            well.append(instigator.subject)
            continue
        severity, says = error_class
        kind, _, name = instigator.subject
        link = f"/locations/{quote(location)}/{kind}s/{quote(name)}"
        broken.append(ErrorClass(instigator.subject, severity, says, instigator.ticked_at or now, link, evidence=says))
    return broken, well


def _rhythms(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, location: str) -> Iterator[Instigator]:
    if instance.schedule_storage is None:
        return  # an instance in memory has neither
    intervals = {
        sensor.name: timedelta(seconds=sensor.minimum_interval_seconds or USUAL_INTERVAL)
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
        failed_job = jobs.get(instigator.subject.name) if instigator.failed and instigator.failed[0] else None
        yield replace(instigator, done_at=_done_at(instance, failed_job)) if failed_job else instigator


def _done_at(instance: dg.DagsterInstance, job: str) -> datetime | None:
    """When the last run of a job that succeeded began."""
    found = instance.get_run_records(dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1)
    return datetime.fromtimestamp(found[0].start_time, UTC) if found and found[0].start_time else None


def _instigator(
    state: InstigatorState, default: Default, ticks: list[InstigatorTick], interval: timedelta | None
) -> Instigator:
    ended = [tick for tick in ticks if tick.status != TickStatus.STARTED]
    error = ended[0].error if ended else None
    return Instigator(
        Subject("sensor" if interval else "schedule", "", state.instigator_name),
        is_on=_is_on(state.status, default),
        failed=[tick.status == TickStatus.FAILURE for tick in ended],
        ticked_at=datetime.fromtimestamp(ticks[0].timestamp, UTC) if ticks else None,
        error=" ".join(error.message.split())[:LONGEST_ERROR] if error else "",
        interval=interval,
    )


def _is_on(status: InstigatorStatus, default: Default) -> bool:
    """As the daemon has it: what the code once declared stays recorded when the code declares otherwise."""
    if status == InstigatorStatus.DECLARED_IN_CODE:
        return default in (dg.DefaultSensorStatus.RUNNING, dg.DefaultScheduleStatus.RUNNING)
    return status == InstigatorStatus.RUNNING


def observe_daemons(
    instance: dg.DagsterInstance, steady: datetime, now: datetime
) -> tuple[list[ErrorClass], list[Subject]]:
    """The parts of the daemon (scheduler, run queue, …): those that stand still, and the others."""
    broken, well = [], []
    required = set(instance.get_required_daemon_types())
    for name, heartbeat in instance.get_daemon_heartbeats().items():
        if name not in required:
            continue
        subject = Subject("daemon", "", name)
        beat_at = datetime.fromtimestamp(heartbeat.timestamp, UTC)
        if is_still(beat_at, steady, now):
            says = f"this part of dagster-daemon has given no sign of life since {beat_at:%Y-%m-%d %H:%M} UTC"
            broken.append(ErrorClass(subject, "ERROR", says, beat_at, "/deployment/daemons", evidence=says))
        else:
            well.append(subject)
    return broken, well


def dated_assets(repository: dg.RepositoryDefinition) -> list[dg.AssetKey]:
    """The assets with a freshness policy."""
    graph = repository.asset_graph
    return [key for key in graph.materializable_asset_keys if graph.get(key).freshness_policy is not None]


def observe_freshness(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, steady: datetime, now: datetime
) -> tuple[list[ErrorClass], list[Subject]]:  # fmt: skip
    """Those that are late, with their age against the window that was crossed, and those that are fresh.

    Nothing is late while the daemon makes up for its own downtime.
    """
    keys = dated_assets(repository)
    states = instance.get_freshness_state_records(keys) if keys else {}
    well = [_freshness_of(key) for key, state in states.items() if state.freshness_state == FreshnessState.PASS]
    if now - steady < CATCHING_UP:
        return [], well
    late = {
        key: state
        for key, state in states.items()
        if state.freshness_state in (FreshnessState.WARN, FreshnessState.FAIL)
    }
    ages = _ages(instance, list(late), now)
    policies = {key: repository.asset_graph.get(key).freshness_policy for key in late}
    return [_lateness(key, state, policies[key], ages.get(key)) for key, state in late.items()], well


def _freshness_of(key: dg.AssetKey) -> Subject:
    return Subject("freshness", "", key.to_user_string())


def _ages(instance: dg.DagsterInstance, keys: list[dg.AssetKey], now: datetime) -> dict[dg.AssetKey, timedelta]:
    """For how long each has not been made, as Dagster's daemon counts it."""
    entries = [record.asset_entry for record in (instance.get_asset_records(keys) if keys else ())]
    made_at = {entry.asset_key: entry.last_materialization_record for entry in entries}
    return {key: now - datetime.fromtimestamp(made.timestamp, UTC) for key, made in made_at.items() if made}


def _lateness(key: dg.AssetKey, state: FreshnessStateRecord, policy: object, age: timedelta | None) -> ErrorClass:
    subject = _freshness_of(key)
    is_late = state.freshness_state == FreshnessState.FAIL
    says = "it is older than its freshness policy allows" if is_late else "it will soon be too old"
    window = _window(policy, is_late=is_late)
    figures = {"hours_old": age, "hours_allowed": window}
    return ErrorClass(
        subject,
        "ERROR" if is_late else "WARN",
        says,
        state.updated_at,
        f"/assets/{quote(subject.name)}?view=overview",
        evidence=state.freshness_state.value,
        expected=f"Made anew within {_hours(window):g} hours." if window else "",
        figures={name: _hours(length) for name, length in figures.items() if length},
    )


def _window(policy: object, *, is_late: bool) -> timedelta | None:
    """Which of a policy's windows was crossed."""
    if not isinstance(policy, TimeWindowFreshnessPolicy):
        return None
    crossed = policy.fail_window if is_late else policy.warn_window
    return crossed.to_timedelta() if crossed else None


def _hours(length: timedelta) -> float:
    return round(length.total_seconds() / 3600, 1)


def names_in(repository: dg.RepositoryDefinition, instance: dg.DagsterInstance | None) -> set[str]:
    """Every name that an alert can have, and so can be muted by."""
    graph = repository.asset_graph
    return {
        *(key.name for key in graph.asset_check_keys),
        *(key.to_user_string() for key in graph.get_all_asset_keys()),
        *(name for name in repository.job_names if not name.startswith("__")),
        *(sensor.name for sensor in repository.sensor_defs),
        *(schedule.name for schedule in repository.schedule_defs),
        *(instance.get_required_daemon_types() if instance else ()),
    }
