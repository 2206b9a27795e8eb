"""The sensor that watches the others: each half minute it looks, writes down what changed, and tells."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import dagster as dg

from movie_assets.database.database import Database
from movie_assets.operations.alerts import history as book
from movie_assets.operations.alerts.backfills import observe_backfills
from movie_assets.operations.alerts.decisions import Observations, Open, Subject, changes, steady_since
from movie_assets.operations.alerts.delivery import tell
from movie_assets.operations.alerts.destinations import Destinations
from movie_assets.operations.alerts.messages import DeliveryError
from movie_assets.operations.alerts.observations import LOOK_BACK, observe_checks, observe_runs
from movie_assets.operations.alerts.processes import (
    dated_assets,
    names_in,
    observe_daemons,
    observe_freshness,
    observe_instigators,
)
from movie_assets.runs.locations import location_of

NAME = "something_broke_or_recovered"
UNDELIVERED_FOR = timedelta(hours=1)  # after which the dead man's switch is left alone, so that it speaks


@dataclass(frozen=True)
class Cursor:
    """Since when the daemon has ticked without a gap, and when it last did."""

    steady_since: datetime | None = None
    looked_at: datetime | None = None

    @classmethod
    def read(cls, cursor: str | None) -> Self:
        """From the sensor's cursor."""
        return cls(**{name: datetime.fromisoformat(at) for name, at in json.loads(cursor or "{}").items()})

    def next(self, now: datetime) -> "Cursor":
        """The cursor after a look."""
        return Cursor(steady_since(self.steady_since, self.looked_at, now), now)

    def write(self) -> str:
        """As a sensor's cursor."""
        return json.dumps({name: at.isoformat() for name, at in vars(self).items() if at})


def alert_sensor(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Tell what broke and what recovered, once each."""

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
        with book.only_watcher(database) as is_only:
            if not is_only:
                return dg.SensorResult(skip_reason="another tick is at work", cursor=context.cursor)
            cursor = Cursor.read(context.cursor).next(now)
            said = watch(context, database, destinations, cursor)
        return dg.SensorResult(skip_reason="; ".join(said), cursor=cursor.write())

    return something_broke_or_recovered


def watch(
    context: dg.SensorEvaluationContext, database: Database, destinations: Destinations, cursor: Cursor
) -> list[str]:
    """Look, write down, tell, and say that this was done. Tells what happened."""
    now = cursor.looked_at or datetime.now(UTC)
    before = book.open_alerts(database)
    found = changes(look(context, before, cursor.steady_since or now, now), before)
    book.write_down(database, found, now)
    said = [f"{len(before) + len(found.begun) - len(found.recovered) - len(found.gone)} broken now"]
    said += tell(database, destinations, now)
    database.execute("beat", name=book.HEARTBEAT, as_of=now)
    return said + _ping(database, destinations, now)


def look(
    context: dg.SensorEvaluationContext, before: dict[Subject, Open], steady: datetime, now: datetime
) -> Observations:
    """All that can break, as Dagster's records have it at this moment."""
    instance, repository = context.instance, context.repository_def
    if repository is None:
        raise dg.DagsterInvariantViolationError("the alerts' sensor was evaluated without its code location")
    location = location_of(context)
    seen = [
        observe_checks(instance, repository, before),
        observe_runs(instance, repository, location, before, now),
        observe_backfills(instance, repository, before, now - LOOK_BACK),
        observe_freshness(instance, repository, steady, now),
        observe_instigators(instance, repository, location, NAME, steady, now),
        observe_daemons(instance, steady, now),
    ]
    names = names_in(repository, instance)
    dated = {key.to_user_string() for key in dated_assets(repository)}
    checks = {(key.asset_key.to_user_string(), key.name) for key in repository.asset_graph.asset_check_keys}

    def known(subject: Subject) -> bool:
        if subject.kind == "check":
            return (subject.place, subject.name) in checks
        if subject.kind == "freshness":
            return subject.name in dated
        return names.issuperset(subject.name.removeprefix("assets ").removeprefix("checks ").split(", "))

    return Observations(
        [error_class for broken, _ in seen for error_class in broken],
        {subject for _, well in seen for subject in well},
        known,
    )


def _ping(database: Database, destinations: Destinations, now: datetime) -> list[str]:
    """Tell the dead man's switch that all is well here; not while something has long been undelivered."""
    rows = database.fetch(
        book.DestinationState, "alert_destinations", least_severity=destinations.least_severity, as_of=now
    )
    stuck = [row.destination for row in rows if row.failing_since and now - row.failing_since > UNDELIVERED_FOR]
    if stuck:
        return [f"no heartbeat: {', '.join(stuck)} could not be reached for more than an hour"]
    try:
        destinations.ping()
    except DeliveryError as error:
        return [f"the heartbeat's address was not reached: {error}"]
    return []
