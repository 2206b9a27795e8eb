"""Prints the alerts of `movie-assets alert list`: broken subjects, mutes, and destinations with delivery failures."""

from datetime import datetime
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.operations.alerts.history import HEARTBEAT, DestinationState
from movie_assets.operations.alerts.messages import runbook_of


class BrokenSubject(NamedTuple):
    """A check, job, sensor or other subject that is broken now, with the destinations that have a message about it.

    `muted_until` is None if it is not muted.
    """

    kind: str
    place: str
    name: str
    severity: str
    says: str
    began_at: datetime
    muted_until: datetime | None
    receivers: list[str]


class Mute(NamedTuple):
    """The name of a check, asset, job, sensor or schedule for which no alerts are sent until a time."""

    name: str
    until: datetime


class LastHeartbeat(NamedTuple):
    """The time of the last heartbeat; None before the first one."""

    beat_at: datetime | None


class AlertList(NamedTuple):
    """The state of all alerts. `last_tick` is the time of the sensor's last tick; None before the first one."""

    broken: list[tuple[BrokenSubject, str]]  # each with the URL of its repair
    mutes: list[Mute]
    destinations: list[DestinationState]
    last_tick: datetime | None

    def as_json(self) -> dict[str, object]:
        """Return the state as `movie-assets alert list --json` prints it; `told` is the former name of `receivers`."""
        return {
            "broken": [
                subject._asdict() | {"told": subject.receivers, "runbook": runbook} for subject, runbook in self.broken
            ],
            "muted": [mute._asdict() for mute in self.mutes],
            "destinations": [destination._asdict() for destination in self.destinations],
            "looked_at": self.last_tick,
        }


def alerts_of(database: Database, settings: Settings, now: datetime) -> AlertList:
    """Return the state of all alerts at a time."""
    return AlertList(
        broken=[
            (subject, runbook_of(settings.runbook_url, subject.kind, subject.name))
            for subject in database.fetch(BrokenSubject, "broken_now", as_of=now)
        ],
        mutes=database.fetch(Mute, "alert_mutes", as_of=now),
        destinations=database.fetch(
            DestinationState, "alert_destinations", least_severity=settings.alert_severity, as_of=now
        ),
        last_tick=database.fetch_one(LastHeartbeat, "last_beat", name=HEARTBEAT).beat_at,
    )


def show_alerts(console: Console, alerts: AlertList) -> None:
    """Print broken subjects with their repair, mutes of other names, failing destinations, and the last tick."""
    for subject, runbook in alerts.broken:
        _show_broken(console, subject, runbook)
    if not alerts.broken:
        console.print("Nothing is broken.")
    broken = {name for subject, _ in alerts.broken for name in (subject.name, subject.place)}
    for mute in alerts.mutes:
        if mute.name not in broken:
            console.print(escape(f"{mute.name}: muted until {_minute(mute.until)}"), highlight=False)
    for destination in alerts.destinations:
        if destination.failures and destination.failing_since:
            console.print(
                f"[red]{destination.destination}[/] has {destination.untold} undelivered: "
                f"{escape(destination.last_error or '')}; {destination.failures} attempts since "
                f"{_minute(destination.failing_since)}, the next at {_minute(destination.next_attempt_at)}",
                highlight=False,
            )
    console.print(
        f"The alert sensor last ran at {_minute(alerts.last_tick)}." if alerts.last_tick
        else "The alert sensor has never run: switch something_broke_or_recovered on.",
        highlight=False,
    )  # fmt: skip


def _show_broken(console: Console, subject: BrokenSubject, runbook: str) -> None:
    name = f"{subject.place}: {subject.name}" if subject.place else f"{subject.kind} {subject.name}"
    receivers = ", ".join(dict.fromkeys(subject.receivers)) or "nobody yet"
    state = f"muted until {_minute(subject.muted_until)}" if subject.muted_until else f"sent to {receivers}"
    colour = "red" if subject.severity == "ERROR" else "yellow"
    console.print(
        f"[{colour}]{subject.severity}[/] {escape(name)}, since {_minute(subject.began_at)} ({state})", highlight=False
    )
    console.print(f"    {escape(subject.says)}", highlight=False)
    console.print(f"    what to do: {escape(runbook)}", highlight=False, soft_wrap=True)


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
