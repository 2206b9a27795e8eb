"""An account's limits for embeddings, requests and tokens in a time: enforced, and told in headers as OpenAI does."""

import threading
import time
from dataclasses import replace

from movie_assets.emulator.answers import RefusedError, openai_error
from movie_assets.emulator.options import EmulatorOptions


class Bucket:
    """Holds `limit`, refills evenly within `window` seconds; 0 holds everything."""

    def __init__(self, limit: int, window: float) -> None:
        self.limit = limit
        self._window = window
        self._level = float(limit)
        self._seen = time.monotonic()

    def level(self, now: float) -> float:
        """What is in it."""
        self._level = min(self.limit, self._level + (now - self._seen) * self.limit / self._window)
        self._seen = now
        return self._level

    def holds(self, amount: int, now: float) -> bool:
        """Whether so much can be taken."""
        return not self.limit or self.level(now) >= amount

    def take(self, amount: int) -> None:
        """Take it out."""
        self._level -= amount

    def headers(self, kind: str, now: float) -> dict[str, str]:
        """Limit, rest and time until it is full, as OpenAI writes them."""
        if not self.limit:
            return {}
        level = self.level(now)
        return {
            f"x-ratelimit-limit-{kind}": str(self.limit),
            f"x-ratelimit-remaining-{kind}": str(max(0, int(level))),
            f"x-ratelimit-reset-{kind}": duration((self.limit - level) * self._window / self.limit),
        }


class Account:
    """Both limits of an account."""

    def __init__(self, options: EmulatorOptions) -> None:
        self._requests = Bucket(options.openai_requests, options.openai_window)
        self._tokens = Bucket(options.openai_tokens, options.openai_window)
        self._lock = threading.Lock()

    def take(self, tokens: int) -> dict[str, str]:
        """Let a request pass, with the headers of its answer, or refuse it with 429."""
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
        answer = openai_error(429, message, "rate_limit_exceeded", kind)
        return RefusedError(replace(answer, headers={**answer.headers, **self._headers(now)}))


def duration(seconds: float) -> str:
    """Write seconds as Go does: 12ms, 1.5s, 6m0s."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    return f"{int(minutes)}m{rest:g}s" if minutes else f"{rest:g}s"
