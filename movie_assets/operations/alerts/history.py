"""The stored alerts, their deliveries and destinations: the tables of sql/migrations/0018_alerts.sql.

Changes are committed before any message is sent, and SQL decides what a destination has not received. So neither a
crash nor an outage loses or repeats a message.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from movie_assets.database.database import Database, execute
from movie_assets.http_client.webhooks import DeliveryError
from movie_assets.operations.alerts.decisions import Changes, Kind, OpenAlert, Problem, Subject
from movie_assets.operations.alerts.messages import Entry, Event

ALERTS_LOCK = 0x6D61_616C
HEARTBEAT = "alerts"


class OpenAlertRow(NamedTuple):
    """An alert that has not ended; `figures` has the names of its figures."""

    alert_id: int
    kind: Kind
    place: str
    name: str
    evidence: str
    figures: list[str]


class UndeliveredAlert(NamedTuple):
    """An event of an alert that a destination has not received.

    `delivered_before` is when the destination last received a message, or when it was added.
    """

    event: Event
    alert_id: int
    kind: str
    place: str
    name: str
    severity: str
    message: str
    expected: str
    figures: dict[str, float | str]
    link: str
    began_at: datetime
    ended_at: datetime | None
    ended_how: str | None
    delivered_before: datetime


class DestinationState(NamedTuple):
    """A destination, its failed attempts since the last success, and how many events it has not received."""

    destination: str
    failures: int
    failing_since: datetime | None
    last_error: str | None
    last_delivered_at: datetime | None
    next_attempt_at: datetime
    untold: int


@contextmanager
def alerts_lock(database: Database) -> Iterator[bool]:
    """Try to take the lock on alerts; yield whether it was taken.

    A person can evaluate the sensor in the web UI while the daemon does; both would send the same messages.
    """
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            yield bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(ALERTS_LOCK))))
        finally:
            connection.invalidate()  # closes it, which frees the lock


def open_alerts(database: Database) -> dict[Subject, OpenAlert]:
    """Return the alerts that have not ended."""
    return {
        Subject(row.kind, row.place, row.name): OpenAlert(row.alert_id, row.evidence, row.figures)
        for row in database.fetch(OpenAlertRow, "open_alerts")
    }


def store_changes(database: Database, found: Changes, now: datetime) -> None:
    """Store new alerts, renewed ones, and those that recovered or whose subject was removed, in one transaction."""

    def work(connection: sa.Connection) -> None:
        for problem in found.begun:
            kind, place, name = problem.subject
            execute(
                connection, "begin_alert", kind=kind, place=place, name=name, began_at=problem.began_at, as_of=now,
                **_columns(problem),
            )  # fmt: skip
        for alert_id, problem in found.renewed:
            execute(connection, "renew_alert", alert_id=alert_id, **_columns(problem))
        for alert_id in found.worsened:
            execute(connection, "repeat_alert", alert_id=alert_id)
        for how, ended in (("recovered", found.recovered), ("gone", found.removed)):
            for alert_id in ended:
                execute(connection, "end_alert", alert_id=alert_id, how=how, as_of=now)

    database.once(work)


def _columns(problem: Problem) -> Mapping[str, str]:
    return {
        "severity": problem.severity,
        "message": problem.message,
        "expected": problem.expected,
        "figures": json.dumps(dict(problem.figures)),
        "evidence": problem.evidence,
        "link": problem.link,
    }


def update_destinations(database: Database, names: Sequence[str], now: datetime) -> None:
    """Insert new destinations and delete those that the settings no longer name."""
    database.execute("update_destinations", destinations=list(names), as_of=now)


def destination_states(database: Database, least_severity: str, now: datetime) -> list[DestinationState]:
    """Return the state of each destination."""
    return database.fetch(DestinationState, "alert_destinations", least_severity=least_severity, as_of=now)


def undelivered(database: Database, destination: str, least_severity: str, now: datetime) -> list[Entry]:
    """Return what a destination has not received; nothing before its next attempt is due."""
    rows = database.fetch(
        UndeliveredAlert, "undelivered_alerts", destination=destination, least_severity=least_severity, as_of=now
    )
    return [_entry(row) for row in rows]


def _entry(row: UndeliveredAlert) -> Entry:
    return Entry(
        alert_id=row.alert_id, event=row.event, kind=row.kind, place=row.place, name=row.name, severity=row.severity,
        message=row.message, expected=row.expected, figures=row.figures, link=row.link, since=row.began_at,
        until=row.ended_at, is_removed=row.ended_how == "gone", delivered_before=row.delivered_before,
    )  # fmt: skip


def record_delivery(database: Database, destination: str, entries: Sequence[Entry], now: datetime) -> None:
    """Record that a destination received a message."""
    database.execute(
        "record_delivery",
        destination=destination,
        alert_ids=[entry.alert_id for entry in entries],
        events=[entry.event for entry in entries],
        severities=[entry.severity for entry in entries],
        as_of=now,
    )


def record_delivery_failure(database: Database, destination: str, error: DeliveryError, now: datetime) -> None:
    """Record that a message did not arrive, and when the next attempt is due."""
    database.execute(
        "record_delivery_failure",
        destination=destination,
        error=str(error),
        retry_after=error.retry_after,
        as_of=now,
    )
