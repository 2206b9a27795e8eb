"""What Dagster's records say of those who launch: sensors, schedules, the daemon's parts; and of freshness."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import dagster as dg
from dagster._core.definitions.freshness import CronFreshnessPolicy, FreshnessState, TimeWindowFreshnessPolicy
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, InstigatorTick, TickStatus

from movie_assets.automation.alerts.decisions import (
    SENSOR_TICKS,
    Rhythm,
    Subject,
    Trouble,
    is_still,
    rhythm_trouble,
)

USUAL_INTERVAL = 30  # seconds; Dagster's, for a sensor that names none
LONGEST_ERROR = 300
CATCHING_UP = timedelta(hours=1)  # after downtime: the schedule's next quarter of an hour, and the runs of a day


def look_at_rhythms(
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
    location: str | None,
    oneself: str,
    steady: datetime,
    now: datetime,
) -> tuple[list[Trouble], list[Subject]]:
    """The sensors and schedules that were ever on, but for the alerts' own, which cannot report its end."""
    broken, well = [], []
    for rhythm in _rhythms(instance, repository, location):
        if rhythm.subject.name == oneself:
            continue
        trouble = rhythm_trouble(rhythm, steady, now)
        if trouble is None:
            well.append(rhythm.subject)
            continue
        severity, says = trouble
        kind, _, name = rhythm.subject
        link = f"/locations/{quote(location or 'movie_assets')}/{kind}s/{quote(name)}"
        broken.append(Trouble(rhythm.subject, severity, says, rhythm.ticked_at or now, link, evidence=says))
    return broken, well


def _rhythms(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, location: str | None
) -> Iterator[Rhythm]:
    if instance.schedule_storage is None:
        return  # an instance in memory has neither
    intervals = {
        sensor.name: timedelta(seconds=sensor.minimum_interval_seconds or USUAL_INTERVAL)
        for sensor in repository.sensor_defs
    }
    jobs = {schedule.name: schedule.job_name for schedule in repository.schedule_defs}
    names = {*intervals, *jobs}
    states = [
        state
        for state in instance.all_instigator_state()
        if state.instigator_name in names and (location is None or state.repository_selector.location_name == location)
    ]
    ticks = instance.get_batch_ticks([state.selector_id for state in states], limit=SENSOR_TICKS + 1)
    for state in states:
        rhythm = _rhythm(state, [*ticks.get(state.selector_id, ())], intervals.get(state.instigator_name))
        failed_job = jobs.get(rhythm.subject.name) if rhythm.failed and rhythm.failed[0] else None
        yield replace(rhythm, done_at=_done_at(instance, failed_job)) if failed_job else rhythm


def _done_at(instance: dg.DagsterInstance, job: str) -> datetime | None:
    """When the last run of a job that succeeded began."""
    found = instance.get_run_records(dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1)
    return datetime.fromtimestamp(found[0].start_time, UTC) if found and found[0].start_time else None


def _rhythm(state: InstigatorState, ticks: list[InstigatorTick], interval: timedelta | None) -> Rhythm:
    ended = [tick for tick in ticks if tick.status != TickStatus.STARTED]
    error = ended[0].error if ended else None
    return Rhythm(
        Subject("sensor" if interval else "schedule", "", state.instigator_name),
        is_on=state.status != InstigatorStatus.STOPPED,
        failed=[tick.status == TickStatus.FAILURE for tick in ended],
        ticked_at=datetime.fromtimestamp(ticks[0].timestamp, UTC) if ticks else None,
        error=" ".join(error.message.split())[:LONGEST_ERROR] if error else "",
        interval=interval,
    )


def look_at_daemons(
    instance: dg.DagsterInstance, steady: datetime, now: datetime
) -> tuple[list[Trouble], list[Subject]]:
    """The parts of the daemon (scheduler, run queue, …): those that stand still, and the others."""
    broken, well = [], []
    required = set(instance.get_required_daemon_types())
    for name, beat in instance.get_daemon_heartbeats().items():
        if name not in required:
            continue
        subject = Subject("daemon", "", name)
        beat_at = datetime.fromtimestamp(beat.timestamp, UTC)
        if is_still(beat_at, steady, now):
            says = f"this part of dagster-daemon has given no sign of life since {beat_at:%Y-%m-%d %H:%M} UTC"
            broken.append(Trouble(subject, "ERROR", says, beat_at, "/deployment/daemons", evidence=says))
        else:
            well.append(subject)
    return broken, well


def dated_assets(repository: dg.RepositoryDefinition) -> list[dg.AssetKey]:
    """The assets with a freshness policy."""
    graph = repository.asset_graph
    return [key for key in graph.materializable_asset_keys if graph.get(key).freshness_policy is not None]


def look_at_freshness(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, steady: datetime, now: datetime
) -> tuple[list[Trouble], list[Subject]]:  # fmt: skip
    """Those that are late, and those that are fresh.

    Nothing is late while the daemon makes up for its own downtime.
    """
    graph = repository.asset_graph
    keys = dated_assets(repository)
    is_catching_up = now - steady < CATCHING_UP
    broken, well = [], []
    for key, record in (instance.get_freshness_state_records(keys) if keys else {}).items():
        subject = Subject("freshness", "", key.to_user_string())
        if record.freshness_state == FreshnessState.PASS:
            well.append(subject)
        elif record.freshness_state in (FreshnessState.WARN, FreshnessState.FAIL) and not is_catching_up:
            is_late = record.freshness_state == FreshnessState.FAIL
            broken.append(
                Trouble(
                    subject,
                    "ERROR" if is_late else "WARN",
                    "it is older than its freshness policy allows" if is_late else "it will soon be too old",
                    record.updated_at,
                    f"/assets/{quote(subject.name)}?view=overview",
                    evidence=record.freshness_state.value,
                    expected=_allowed(graph.get(key).freshness_policy),
                )
            )
    return broken, well


def _allowed(policy: object) -> str:
    """A freshness policy in words."""
    if isinstance(policy, TimeWindowFreshnessPolicy):
        return f"Made anew within {policy.fail_window.to_timedelta().total_seconds() / 3600:g} hours."
    if isinstance(policy, CronFreshnessPolicy):
        return f"Made anew before each deadline: {policy.deadline_cron} {policy.timezone}."
    return ""


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
