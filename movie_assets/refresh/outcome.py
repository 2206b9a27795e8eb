"""What a refresh did, as plain data for reports; free of Dagster, so that a help text does not load it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

ADDED_UP = ("texts_embedded", "texts_rejected", "tokens", "dollars")


class RefreshError(Exception):
    """A refresh cannot start; the message says why."""


@dataclass(frozen=True)
class CheckOutcome:
    """An asset check as a run of this refresh found it."""

    asset: str
    name: str
    passed: bool
    severity: str
    description: str | None


@dataclass
class DayOutcome:
    """What a refresh did."""

    day: date
    failed_jobs: list[str] = field(default_factory=list)
    failed_steps: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)  # by the names that Dagster's metadata has
    checks: list[CheckOutcome] = field(default_factory=list)
    seconds: float = 0.0

    def keep(self, name: str, figures: dict[str, Any]) -> None:
        """Keep the figures of an asset or a check; what several runs of a job embedded is added up."""
        before = self.figures.get(name, {})
        self.figures[name] = figures | {key: before[key] + figures[key] for key in ADDED_UP if key in before}

    @property
    def succeeded(self) -> bool:
        """Whether every job ended well and no check failed as an error."""
        return not self.failed_jobs and all(c.passed or c.severity == "WARN" for c in self.checks)
