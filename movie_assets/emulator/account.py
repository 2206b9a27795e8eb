"""An account's limits of embeddings: requests and tokens within a time, enforced and sent in OpenAI's headers."""

import threading
import time
from dataclasses import replace

from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.responses import RefusedError, openai_error


class Bucket:
    """A token bucket that holds `limit` units and refills evenly within `window` seconds; limit 0 is no limit."""

    def __init__(self, limit: int, window: float) -> None:
        self.limit = limit
        self._window = window
        self._level = float(limit)
        self._seen = time.monotonic()

    def level(self, now: float) -> float:
        """Refill the bucket up to `now` (monotonic seconds), and return the units that it holds."""
        self._level = min(self.limit, self._level + (now - self._seen) * self.limit / self._window)
        self._seen = now
        return self._level

    def holds(self, amount: int, now: float) -> bool:
        """Return whether `amount` units can be taken now."""
        return not self.limit or self.level(now) >= amount

    def take(self, amount: int) -> None:
        """Take `amount` units out of the bucket."""
        self._level -= amount

    def headers(self, kind: str, now: float) -> dict[str, str]:
        """Return OpenAI's headers: limit, units left and time until the bucket is full."""
        if not self.limit:
            return {}
        level = self.level(now)
        return {
            f"x-ratelimit-limit-{kind}": str(self.limit),
            f"x-ratelimit-remaining-{kind}": str(max(0, int(level))),
            f"x-ratelimit-reset-{kind}": duration((self.limit - level) * self._window / self.limit),
        }


class Account:
    """The account of a client: its limits of requests and of tokens."""

    def __init__(self, options: EmulatorOptions) -> None:
        self._requests = Bucket(options.openai_requests, options.openai_window)
        self._tokens = Bucket(options.openai_tokens, options.openai_window)
        self._lock = threading.Lock()

    def take(self, tokens: int) -> dict[str, str]:
        """Charge a request, and return the headers of its response. Raises RefusedError (429) beyond a limit."""
        with self._lock:
            now = time.monotonic()
            for bucket, amount, kind in ((self._requests, 1, "requests"), (self._tokens, tokens, "tokens")):
                if bucket.limit and amount > bucket.limit:
                    message = f"Request too large on {kind} per min: Limit {bucket.limit}, Requested {amount}."
                    raise self._refusal(message, kind, now)
                if not bucket.holds(amount, now):
                    message = f"Rate limit reached on {kind} per min: Limit {bucket.limit}, Requested {amount}."
                    raise self._refusal(message, kind, now)
            self._requests.take(1)
            self._tokens.take(tokens)
            return self._headers(now)

    def _headers(self, now: float) -> dict[str, str]:
        return {**self._requests.headers("requests", now), **self._tokens.headers("tokens", now)}

    def _refusal(self, message: str, kind: str, now: float) -> RefusedError:
        response = openai_error(429, message, "rate_limit_exceeded", kind)
        return RefusedError(replace(response, headers={**response.headers, **self._headers(now)}))


def duration(seconds: float) -> str:
    """Write seconds as Go does: 12ms, 1.5s, 6m0s."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    return f"{int(minutes)}m{rest:g}s" if minutes else f"{rest:g}s"
