"""Jobs that are launched regularly: a room's `definitions` declares them, `orchestration` makes job and schedule."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg


@dataclass(frozen=True)
class Upkeep:
    """A job on some assets, and the schedule that launches it.

    `since` returns the time since when the work is due, at a given time. The schedule ticks more often than that, for
    runs that failed or were missed. A job `is_of_today` if its assets have a partition for each day. `switched_on`
    returns the names of the assets that the settings switch on; without it all are. `switched_off` is why nothing is
    launched when it returns none.
    """

    job: str
    assets: Sequence[dg.AssetsDefinition]
    description: str
    schedule: str
    cron: str
    since: Callable[[datetime], datetime]
    schedule_description: str
    is_of_today: bool = False
    switched_on: Callable[[], Sequence[str]] | None = None
    switched_off: str = ""

    def asset_names(self) -> Sequence[str]:
        """Return the names of the assets that a launch materializes now."""
        return [asset.key.to_user_string() for asset in self.assets] if self.switched_on is None else self.switched_on()


def every_six_hours(now: datetime) -> datetime:
    """Return the time since when TMDB's lists are due: midnight, 6:00, noon or 18:00."""
    return now.replace(hour=now.hour // 6 * 6, minute=0, second=0, microsecond=0)


def daily(now: datetime) -> datetime:
    """Return the time since when a day's ratings are due: 10:30."""
    return now.replace(hour=10, minute=30, second=0, microsecond=0)


def weekly(now: datetime) -> datetime:
    """Return the time since when a week's reconciliation is due: Sunday at 04:00."""
    sunday = now - timedelta(days=now.isoweekday() % 7)
    return sunday.replace(hour=4, minute=0, second=0, microsecond=0)


def monthly(now: datetime) -> datetime:
    """Return the time since when a month's clean-up is due: the first at 03:00."""
    return now.replace(day=1, hour=3, minute=0, second=0, microsecond=0)
