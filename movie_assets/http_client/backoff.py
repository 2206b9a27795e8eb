"""How long a client waits after an HTTP failure: plain arithmetic, shared by all clients.

Nothing here sleeps or makes a call; `now` and the random numbers are passed in.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_WAIT = 1.0  # seconds
LONGEST_WAIT = 30.0
MAX_RETRY_SECONDS = 300.0  # a service that asks for a longer pause is treated as down
NUMBER = re.compile(r"\d+(?:\.\d*)?", re.ASCII)  # some services send fractions, which RFC 9110 does not allow


def seconds_asked_for(retry_after: str | None, now: datetime) -> float | None:
    """Return the pause that a Retry-After header asks for, in seconds, or None when it holds no number and no date.

    The pause may be zero: pass it to `backoff`, which never waits less than it would without the header.
    """
    if not retry_after:
        return None
    if NUMBER.fullmatch(retry_after.strip()):
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    # A clock that is ahead of the server's must not make the pause zero.
    return max(FIRST_WAIT, (until - now).total_seconds())


def backoff(attempt: int, draw: Callable[[], float], asked: float | None = None) -> float:
    """Return the seconds to wait after the n-th failure (1, 2, …): full jitter under a doubling ceiling.

    `draw` returns a random number from 0 to 1.

    `asked` is the pause that the service asks for. It can make the wait longer and never shorter: "Retry-After: 0"
    means less than a second, and a service that sends it again and again still needs a growing pause.

    Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. The wait is at least a tenth of the
    ceiling, so that a low draw does not cause a request at once.
    """
    ceiling: float = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (min(attempt, 32) - 1))
    return max(ceiling * max(0.1, draw()), asked or 0.0)
