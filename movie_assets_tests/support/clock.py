"""The day on which a test runs, for tests that must not run across midnight (UTC)."""

import time
from datetime import UTC, datetime, timedelta

SECONDS_FOR_A_TEST = 30.0


def start_of_today() -> datetime:
    """Return midnight (UTC) of a day that lasts for 30 more seconds; wait for the next day if this one does not."""
    now = datetime.now(UTC)
    left = (_midnight(now) + timedelta(days=1) - now).total_seconds()
    if left < SECONDS_FOR_A_TEST:
        time.sleep(left)
        now = datetime.now(UTC)
    return _midnight(now)


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
