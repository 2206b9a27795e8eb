"""What an alert says, in the three forms that it travels in: Slack's text, JSON, a mail's subject and body.

A message holds all that its destination has not been told; which that is, SQL decides (alerts_to_tell). Sending is
`operations.alerts.destinations`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

Event = Literal["broken", "worse", "recovered", "came_and_went"]

HEADINGS = {  # of what is no check
    "job": "run-failed",
    "backfill": "backfill-failed",
    "freshness": "freshness",
    "sensor": "sensor-stopped",
    "schedule": "sensor-stopped",
    "daemon": "sensor-stopped",
}
MAX_ENTRIES = 20  # Slack cuts a text at 40,000 characters, and nobody reads more
TITLES = {
    "broken": "{} broken",
    "worse": "{} worse",
    "recovered": "{} recovered",
    "came_and_went": "{} came and went",
}


def runbook_of(runbook_url: str, kind: str, name: str) -> str:
    """Return the URL of the repair: each check has a heading in the runbook, the other kinds have one each."""
    return f"{runbook_url}#{HEADINGS.get(kind, name)}"


class DeliveryError(Exception):
    """A message did not arrive; the sentence says why, without an address or key. `retry_after` is in seconds."""

    def __init__(self, sentence: str, retry_after: float = 0.0) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Entry:
    """One thing that a destination has not been told: that it broke, became an error, or is over.

    `told_before` is when the destination last got anything, or since when it is one.
    """

    alert_id: int
    event: Event
    kind: str
    place: str
    name: str
    severity: str
    says: str
    expected: str
    figures: Mapping[str, Any]
    link: str
    since: datetime
    until: datetime | None = None
    is_gone: bool = False
    told_before: datetime | None = None

    @property
    def subject(self) -> str:
        """What broke, as a person reads it."""
        return f"{self.place}: {self.name}" if self.place else f"{self.kind} {self.name}"

    @property
    def sentence(self) -> str:
        """The event with its times."""
        if self.until is None:
            return f"{self.severity}, {'worse now, ' if self.event == 'worse' else ''}since {_as_of(self.since)}"
        if self.is_gone:
            return f"no longer exists; it was broken from {_as_of(self.since)} until {_as_of(self.until)}"
        lasted = _duration(self.until - self.since)
        return f"recovered; it was broken from {_as_of(self.since)} until {_as_of(self.until)} ({lasted})"


@dataclass(frozen=True)
class Message:
    """All that a destination is told at once. `web_url` and `runbook_url` are what links begin with."""

    entries: Sequence[Entry]
    made_at: datetime
    web_url: str
    runbook_url: str
    is_test: bool = False

    @property
    def message_id(self) -> str:
        """The same for the same content after the same message, so that a receiver can tell a repetition.

        The same words at another time, after a message that arrived, are no repetition.
        """
        content = repr([(e.alert_id, e.event, e.severity, e.says) for e in self.entries])
        moments = [self.made_at] if self.is_test else [e.told_before for e in self.entries[:1] if e.told_before]
        as_of = "".join(as_of.astimezone(UTC).isoformat() for as_of in moments)
        return f"msg_{hashlib.sha256((content + as_of).encode()).hexdigest()[:32]}"

    @property
    def title(self) -> str:
        """How many of what; with the name where there is one only."""
        if self.is_test:
            return "test: alerts of movie_assets arrive here"
        counts = {event: sum(entry.event == event for entry in self.entries) for event in TITLES}
        told = ", ".join(TITLES[event].format(count) for event, count in counts.items() if count)
        return f"{told}: {self.entries[0].subject}" if len(self.entries) == 1 else told

    @property
    def payload(self) -> dict[str, Any]:
        """The message as JSON."""
        return {
            "version": 1,
            "message_id": self.message_id,
            "made_at": self.made_at.isoformat(),
            "is_test": self.is_test,
            "title": self.title,
            "entries": [self._entry(entry) for entry in self.entries],
        }

    def _entry(self, entry: Entry) -> dict[str, Any]:
        return {
            "alert_id": entry.alert_id,
            "event": entry.event,
            "kind": entry.kind,
            "asset": entry.place or None,
            "name": entry.name,
            "severity": entry.severity,
            "since": entry.since.isoformat(),
            "until": entry.until.isoformat() if entry.until else None,
            "says": entry.says,
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
        """What is found, what is expected, the figures, the runbook; nothing of it once it is over."""
        if entry.event == "recovered":
            return []
        figures = ", ".join(f"{name} {_figure(value)}" for name, value in entry.figures.items())
        told = [
            entry.says,
            f"expected: {entry.expected}" if entry.expected else "",
            f"figures: {figures}" if figures else "",
            f"what to do: {runbook_of(self.runbook_url, entry.kind, entry.name)}",
        ]
        return [line for line in told if line]

    def _rest(self) -> list[str]:
        left = len(self.entries) - MAX_ENTRIES
        return [f"… and {left} more: movie-assets alert list"] if left > 0 else []


def _figure(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _as_of(as_of: datetime) -> str:
    return f"{as_of:%Y-%m-%d %H:%M} UTC"


def _duration(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    if minutes < 60:  # noqa: PLR2004  # an hour
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"  # noqa: PLR2004  # two days
