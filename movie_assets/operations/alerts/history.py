"""What is remembered of alerts between ticks: the tables of sql/migrations/0018_alerts.sql.

The state is written in one transaction before anybody is told; what a destination has not been told is then a
question to SQL, so that neither a crash nor an outage loses or repeats anything.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from movie_assets.database.database import Database, execute
from movie_assets.operations.alerts.decisions import Changes, ErrorClass, Open, Subject
from movie_assets.operations.alerts.messages import DeliveryError, Entry

ALERTS_LOCK = 0x6D61_616C
HEARTBEAT = "alerts"


class DestinationState(NamedTuple):
    """A destination of alerts with its failed attempts in a row; `untold` counts the alerts that are due to it."""

    destination: str
    failures: int
    failing_since: datetime | None
    last_error: str | None
    last_delivered_at: datetime | None
    next_attempt_at: datetime
    untold: int


@contextmanager
def only_watcher(database: Database) -> Iterator[bool]:
    """Whether this is the only tick at work: one that a person tries in the web UI must not tell things twice."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            yield bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(ALERTS_LOCK))))
        finally:
            connection.invalidate()  # closes it, which frees the lock


def open_alerts(database: Database) -> dict[Subject, Open]:
    """What was broken at the last look."""
    return {
        Subject(row.kind, row.place, row.name): Open(row.alert_id, row.evidence, row.figures)
        for row in database.rows("open_alerts")
    }


def write_down(database: Database, found: Changes, now: datetime) -> None:
    """Record what broke, what is still broken in another way, what recovered and what no longer exists."""

    def work(connection: sa.Connection) -> None:
        for error_class in found.begun:
            kind, place, name = error_class.subject
            execute(
                connection, "begin_alert", kind=kind, place=place, name=name, began_at=error_class.began_at, as_of=now,
                **_said(error_class),
            )  # fmt: skip
        for alert_id, error_class in found.renewed:
            execute(connection, "renew_alert", alert_id=alert_id, **_said(error_class))
        for alert_id in found.grown:
            execute(connection, "tell_alert_again", alert_id=alert_id)
        for how, ended in (("recovered", found.recovered), ("gone", found.gone)):
            for alert_id in ended:
                execute(connection, "end_alert", alert_id=alert_id, how=how, as_of=now)

    database.once(work)


def _said(error_class: ErrorClass) -> dict[str, str]:
    return {
        "severity": error_class.severity,
        "says": error_class.says,
        "expected": error_class.expected,
        "figures": json.dumps(dict(error_class.figures)),
        "evidence": error_class.evidence,
        "link": error_class.link,
    }


def keep_destinations(database: Database, names: Sequence[str], now: datetime) -> None:
    """Begin with new destinations and forget those that the settings no longer name."""
    database.execute("keep_destinations", destinations=list(names), as_of=now)


def to_tell(database: Database, destination: str, least_severity: str, now: datetime) -> list[Entry]:
    """What a destination has not been told; nothing before its next attempt is due."""
    rows = database.rows("alerts_to_tell", destination=destination, least_severity=least_severity, as_of=now)
    return [_entry(row) for row in rows]


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(
        alert_id=row.alert_id, event=row.event, kind=row.kind, place=row.place, name=row.name, severity=row.severity,
        says=row.says, expected=row.expected, figures=row.figures, link=row.link, since=row.began_at,
        until=row.ended_at, is_gone=row.ended_how == "gone", told_before=row.told_before,
    )  # fmt: skip


def told(database: Database, destination: str, entries: Sequence[Entry], now: datetime) -> None:
    """Record that a message arrived."""
    database.execute(
        "record_delivery",
        destination=destination,
        alert_ids=[entry.alert_id for entry in entries],
        events=[entry.event for entry in entries],
        severities=[entry.severity for entry in entries],
        as_of=now,
    )


def not_told(database: Database, destination: str, error: DeliveryError, now: datetime) -> None:
    """Record that a message did not arrive, and when the next attempt is due."""
    database.execute(
        "record_delivery_failure",
        destination=destination,
        error=str(error),
        retry_after=error.retry_after,
        as_of=now,
    )
