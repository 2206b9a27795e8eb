"""Messages on alerts in three forms: a text for Slack, JSON, and the subject and text of a mail.

A message has all events that its destination has not received, which SQL selects (pipeline.alerts_to_tell).
`operations.alerts.destinations` sends messages.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypedDict

Event = Literal["broken", "worse", "recovered", "came_and_went"]

HEADINGS = {  # in the runbook, by kind; each check has a heading of its name
    "job": "run-failed",
    "backfill": "backfill-failed",
    "freshness": "freshness",
    "sensor": "sensor-stopped",
    "schedule": "sensor-stopped",
    "daemon": "sensor-stopped",
}
MAX_ENTRIES = 20  # in a text; Slack cuts texts at 40,000 characters
TITLES = {
    "broken": "{} broken",
    "worse": "{} worse",
    "recovered": "{} recovered",
    "came_and_went": "{} came and went",
}


def runbook_of(runbook_url: str, kind: str, name: str) -> str:
    """Return the URL of the section of the runbook that describes the repair."""
    return f"{runbook_url}#{HEADINGS.get(kind, name)}"


@dataclass(frozen=True)
class Entry:
    """An event that a destination has not received: a subject broke, became worse or recovered.

    `is_removed` is true when the alert ended because its subject no longer exists. `delivered_before` is when the
    destination last received a message, or when it was added.
    """

    alert_id: int
    event: Event
    kind: str
    place: str
    name: str
    severity: str
    message: str
    expected: str
    figures: Mapping[str, float | str]
    link: str
    since: datetime
    until: datetime | None = None
    is_removed: bool = False
    delivered_before: datetime | None = None

    @property
    def subject(self) -> str:
        """The name of the subject for people: the asset and the check, or the kind and the name."""
        return f"{self.place}: {self.name}" if self.place else f"{self.kind} {self.name}"

    @property
    def sentence(self) -> str:
        """The event with its times, for people."""
        if self.until is None:
            return f"{self.severity}, {'worse now, ' if self.event == 'worse' else ''}since {_time(self.since)}"
        if self.is_removed:
            return f"no longer exists; it was broken from {_time(self.since)} until {_time(self.until)}"
        lasted = _duration(self.until - self.since)
        return f"recovered; it was broken from {_time(self.since)} until {_time(self.until)} ({lasted})"


class EntryPayload(TypedDict):
    """An event in the JSON of a message."""

    alert_id: int
    event: Event
    kind: str
    asset: str | None
    name: str
    severity: str
    since: str
    until: str | None
    says: str
    expected: str | None
    figures: dict[str, float | str]
    link: str
    runbook: str


class Payload(TypedDict):
    """A message as JSON."""

    version: int
    message_id: str
    made_at: str
    is_test: bool
    title: str
    entries: list[EntryPayload]


@dataclass(frozen=True)
class Message:
    """The events that a destination receives at once. Links begin with `web_url` or `runbook_url`."""

    entries: Sequence[Entry]
    made_at: datetime
    web_url: str
    runbook_url: str
    is_test: bool = False

    @property
    def message_id(self) -> str:
        """An id by which a receiver recognises a repeated attempt to deliver the same message.

        It depends on the content and on when the destination last received a message: the same content after a message
        that arrived gets another id.
        """
        content = repr([(e.alert_id, e.event, e.severity, e.message) for e in self.entries])
        delivered = [e.delivered_before for e in self.entries[:1] if e.delivered_before]
        times = "".join(at.astimezone(UTC).isoformat() for at in ([self.made_at] if self.is_test else delivered))
        return f"msg_{hashlib.sha256((content + times).encode()).hexdigest()[:32]}"

    @property
    def title(self) -> str:
        """The number of events of each kind; with the subject's name when there is only one event."""
        if self.is_test:
            return "test: alerts of movie_assets arrive here"
        counts = {event: sum(entry.event == event for entry in self.entries) for event in TITLES}
        title = ", ".join(TITLES[event].format(count) for event, count in counts.items() if count)
        return f"{title}: {self.entries[0].subject}" if len(self.entries) == 1 else title

    @property
    def payload(self) -> Payload:
        """The message as JSON."""
        return {
            "version": 1,
            "message_id": self.message_id,
            "made_at": self.made_at.isoformat(),
            "is_test": self.is_test,
            "title": self.title,
            "entries": [self._entry(entry) for entry in self.entries],
        }

    def _entry(self, entry: Entry) -> EntryPayload:
        return {
            "alert_id": entry.alert_id,
            "event": entry.event,
            "kind": entry.kind,
            "asset": entry.place or None,
            "name": entry.name,
            "severity": entry.severity,
            "since": entry.since.isoformat(),
            "until": entry.until.isoformat() if entry.until else None,
            "says": entry.message,
            "expected": entry.expected or None,
            "figures": dict(entry.figures),
            "link": f"{self.web_url}{entry.link}",
            "runbook": runbook_of(self.runbook_url, entry.kind, entry.name),
        }

    @property
    def slack(self) -> dict[str, str]:
        """The message for a Slack-compatible incoming webhook."""
        lines = [f"*{_slack(self.title)}*"]
        for entry in self.entries[:MAX_ENTRIES]:
            link = f"<{_slack(self.web_url + entry.link)}|{_slack(entry.subject)}>"
            lines += [f"• {link}: {entry.sentence}", *(f"    {_slack(line)}" for line in self._details(entry))]
        return {"text": "\n".join([*lines, *self._rest()])}

    @property
    def text(self) -> str:
        """The message as plain text, for a mail."""
        lines = [self.title, ""]
        for entry in self.entries[:MAX_ENTRIES]:
            lines += [f"{entry.subject}: {entry.sentence}", *(f"    {line}" for line in self._details(entry))]
            lines += [f"    {self.web_url}{entry.link}", ""]
        return "\n".join([*lines, *self._rest()])

    def _details(self, entry: Entry) -> list[str]:
        """Return the lines below an event: message, expectation, figures, runbook; none after a recovery."""
        if entry.event == "recovered":
            return []
        figures = ", ".join(f"{name} {_figure(value)}" for name, value in entry.figures.items())
        lines = [
            entry.message,
            f"expected: {entry.expected}" if entry.expected else "",
            f"figures: {figures}" if figures else "",
            f"what to do: {runbook_of(self.runbook_url, entry.kind, entry.name)}",
        ]
        return [line for line in lines if line]

    def _rest(self) -> list[str]:
        """Return a line with the number of events that the text does not show, if there are any."""
        left = len(self.entries) - MAX_ENTRIES
        return [f"… and {left} more: movie-assets alert list"] if left > 0 else []


def _figure(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _duration(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    if minutes < 60:  # noqa: PLR2004  # an hour
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"  # noqa: PLR2004  # two days
