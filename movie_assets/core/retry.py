"""What an HTTP failure means and how long to wait after it; plain arithmetic, shared by all clients.

Nothing here sleeps or calls: `now` and the dice are passed in.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_WAIT = 1.0  # seconds
LONGEST_WAIT = 30.0
MOST_PATIENCE = 300.0  # a service that asks for a longer pause is treated as down


def seconds_asked_for(retry_after: str | None, now: datetime) -> float | None:
    """The pause that a Retry-After header asks for (seconds or an HTTP date), or None when it tells nothing."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.strip().isdigit():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    # A clock that runs ahead of the server's must not turn a pause into none.
    return max(FIRST_WAIT, (moment - now).total_seconds())


def backoff(attempt: int, dice: Callable[[], float]) -> float:
    """Seconds to wait after the n-th failure (1, 2, …): full jitter under a doubling ceiling.

    Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. A floor of a tenth keeps
    an unlucky draw from hammering.
    """
    ceiling: float = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1))
    return ceiling * max(0.1, dice())
