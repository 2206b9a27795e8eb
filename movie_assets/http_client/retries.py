"""Retries of HTTP requests: how often a failed request is sent again, and after how long a wait."""

import random
from collections import Counter
from collections.abc import Callable

from movie_assets.http_client.backoff import MAX_RETRY_SECONDS, backoff
from movie_assets.retries.policy import RetryPolicy


class RetryableError(Exception):
    """A request failed and may succeed when it is sent again. The message is the reason.

    `attempts` limits the attempts that fail like this one. `asked` is the pause that the service asks for, in seconds.
    `on_retry` is called with the seconds of the wait before the request is sent again.
    """

    def __init__(
        self, reason: str, attempts: int, asked: float | None = None, on_retry: Callable[[float], None] | None = None
    ) -> None:
        super().__init__(reason)
        self.attempts, self.asked, self.on_retry = attempts, asked, on_retry


class PausedError(Exception):
    """The service asks all requests to pause. The client keeps the pause; this attempt does not count as failed."""


class HttpRetries:
    """The failures of one request, and the policy for sending it again.

    There are at most `attempts` in all, and at most as many of a kind as its errors allow. A service that asks for a
    pause of more than five minutes is treated as down. The last RetryableError is raised.
    """

    def __init__(self, attempts: int) -> None:
        self.failures = 0
        self.policy = RetryPolicy(self._seconds_after)
        self._attempts = attempts
        self._failures_by_limit = Counter[int]()

    def _seconds_after(self, error: Exception) -> float | None:
        if isinstance(error, PausedError):
            return 0.0
        if not isinstance(error, RetryableError):
            return None
        self.failures += 1
        self._failures_by_limit[error.attempts] += 1
        if self.failures >= self._attempts or self._failures_by_limit[error.attempts] >= error.attempts:
            return None
        wait = backoff(self.failures, random.random, error.asked)
        if wait > MAX_RETRY_SECONDS:
            return None
        if error.on_retry:
            error.on_retry(wait)
        return wait
