"""The outcome of a refresh as plain data for reports. It does not import Dagster, so that help texts load fast."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

ADDED_UP = ("texts_embedded", "texts_rejected", "tokens", "dollars")


class RefreshError(Exception):
    """A refresh cannot start. The message says why."""


@dataclass(frozen=True)
class CheckOutcome:
    """The result of an asset check in a run of a refresh."""

    asset: str
    name: str
    passed: bool
    severity: str
    description: str | None


@dataclass
class DayOutcome:
    """The outcome of a refresh: failed jobs and steps, problems, figures and checks."""

    day: date
    failed_jobs: list[str] = field(default_factory=list)
    failed_steps: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)  # Dagster's metadata, by asset or check
    checks: list[CheckOutcome] = field(default_factory=list)
    seconds: float = 0.0

    def keep(self, name: str, figures: dict[str, Any]) -> None:
        """Store the figures of an asset or check; those of embedding are added up over the runs of a job."""
        before = self.figures.get(name, {})
        self.figures[name] = figures | {key: before[key] + figures[key] for key in ADDED_UP if key in before}

    @property
    def succeeded(self) -> bool:
        """Whether every job succeeded and no check failed as an error."""
        return not self.failed_jobs and all(c.passed or c.severity == "WARN" for c in self.checks)
