"""The sensor of alerts: every half minute it observes what is broken, stores what changed, and sends messages."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import dagster as dg

from movie_assets.database.database import Database
from movie_assets.http_client.webhooks import DeliveryError
from movie_assets.operations.alerts import history
from movie_assets.operations.alerts.backfills import observe_backfills
from movie_assets.operations.alerts.decisions import Observations, OpenAlert, Subject, changes, steady_since
from movie_assets.operations.alerts.delivery import deliver
from movie_assets.operations.alerts.destinations import Destinations
from movie_assets.operations.alerts.observations import LOOK_BACK, observe_checks, observe_runs
from movie_assets.operations.alerts.processes import (
    assets_with_freshness,
    names_in,
    observe_daemons,
    observe_freshness,
    observe_instigators,
)
from movie_assets.runs.locations import location_of

NAME = "something_broke_or_recovered"
MAX_UNDELIVERED = timedelta(hours=1)  # after it the dead man's switch gets no heartbeat, so that it raises an alarm


@dataclass(frozen=True)
class Cursor:
    """The sensor's cursor: since when it has ticked without a gap, and its last tick."""

    steady_since: datetime | None = None
    looked_at: datetime | None = None

    @classmethod
    def read(cls, cursor: str | None) -> Self:
        """Read the cursor as Dagster stores it."""
        return cls(**{name: datetime.fromisoformat(at) for name, at in json.loads(cursor or "{}").items()})

    def next(self, now: datetime) -> "Cursor":
        """Return the cursor after a tick."""
        return Cursor(steady_since(self.steady_since, self.looked_at, now), now)

    def write(self) -> str:
        """Return the cursor as Dagster stores it."""
        return json.dumps({name: at.isoformat() for name, at in vars(self).items() if at})


def alert_sensor(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Return the sensor that sends one message when something breaks and one when it recovers."""

    @dg.sensor(
        name=NAME,
        description="Sends an alert, once, when a check, job, backfill, sensor, schedule, part of the daemon or the "
        "freshness of an asset breaks or recovers: to Slack, a webhook or by mail. Launches nothing.",
        minimum_interval_seconds=30,
        default_status=status,
    )
    def something_broke_or_recovered(
        context: dg.SensorEvaluationContext,
        database: dg.ResourceParam[Database],
        destinations: dg.ResourceParam[Destinations],
    ) -> dg.SensorResult:
        now = datetime.now(UTC)
        with history.alerts_lock(database) as is_taken:
            if not is_taken:
                return dg.SensorResult(skip_reason="another tick is at work", cursor=context.cursor)
            cursor = Cursor.read(context.cursor).next(now)
            outcomes = watch(context, database, destinations, cursor)
        return dg.SensorResult(skip_reason="; ".join(outcomes), cursor=cursor.write())

    return something_broke_or_recovered


def watch(
    context: dg.SensorEvaluationContext, database: Database, destinations: Destinations, cursor: Cursor
) -> list[str]:
    """Observe what is broken, store what changed, send messages, and record a heartbeat; return what was done."""
    now = cursor.looked_at or datetime.now(UTC)
    before = history.open_alerts(database)
    found = changes(observe(context, before, cursor.steady_since or now, now), before)
    history.store_changes(database, found, now)
    outcomes = [f"{len(before) + len(found.begun) - len(found.recovered) - len(found.removed)} broken now"]
    outcomes += deliver(database, destinations, now)
    database.execute("beat", name=history.HEARTBEAT, as_of=now)
    return outcomes + _ping(database, destinations, now)


def observe(
    context: dg.SensorEvaluationContext, before: dict[Subject, OpenAlert], steady: datetime, now: datetime
) -> Observations:
    """Return the current problems and healthy subjects in Dagster's records."""
    instance, repository = context.instance, context.repository_def
    if repository is None:
        raise dg.DagsterInvariantViolationError("the sensor of alerts was evaluated without its code location")
    location = location_of(context)
    observed = [
        observe_checks(instance, repository, before),
        observe_runs(instance, repository, location, before, now),
        observe_backfills(instance, repository, before, now - LOOK_BACK),
        observe_freshness(instance, repository, steady, now),
        observe_instigators(instance, repository, location, NAME, steady, now),
        observe_daemons(instance, steady, now),
    ]
    names = names_in(repository, instance)
    with_freshness = {key.to_user_string() for key in assets_with_freshness(repository)}
    checks = {(key.asset_key.to_user_string(), key.name) for key in repository.asset_graph.asset_check_keys}

    def exists(subject: Subject) -> bool:
        if subject.kind == "check":
            return (subject.place, subject.name) in checks
        if subject.kind == "freshness":
            return subject.name in with_freshness
        return names.issuperset(subject.name.removeprefix("assets ").removeprefix("checks ").split(", "))

    return Observations(
        [problem for problems, _ in observed for problem in problems],
        {subject for _, healthy in observed for subject in healthy},
        exists,
    )


def _ping(database: Database, destinations: Destinations, now: datetime) -> list[str]:
    """Request the dead man's switch, unless a destination has been unreachable for long; return what went wrong."""
    states = history.destination_states(database, destinations.least_severity, now)
    unreachable = [s.destination for s in states if s.failing_since and now - s.failing_since > MAX_UNDELIVERED]
    if unreachable:
        return [f"no heartbeat: {', '.join(unreachable)} could not be reached for more than an hour"]
    try:
        destinations.ping()
    except DeliveryError as error:
        return [f"the heartbeat's address could not be reached: {error}"]
    return []
