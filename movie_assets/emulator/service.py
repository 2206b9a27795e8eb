"""What a running emulator remembers: its day, its faults, its counts and its rate limit.

Handlers ask it; the control endpoint and `server.TmdbEmulator` change it. It knows nothing of HTTP's details.
"""

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from movie_assets.emulator.account import Account
from movie_assets.emulator.batch_desk import BatchDesk
from movie_assets.emulator.faults import FAULTS, Situation, Where, known_faults
from movie_assets.emulator.lists import Lists
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.world import World

T = TypeVar("T")


class RateLimit:
    """At most `limit` requests in any sliding second; 0 lets all pass. Also knows the busiest second."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.busiest = 0
        self._arrived: deque[float] = deque()
        self._passed: deque[float] = deque()

    def passes(self, now: float) -> bool:
        """Note a request at `now` (monotonic seconds) and tell whether it is within the limit."""
        self._arrived.append(now)
        while self._arrived[0] <= now - 1.0:
            self._arrived.popleft()
        self.busiest = max(self.busiest, len(self._arrived))
        if not self.limit:
            return True
        while self._passed and self._passed[0] <= now - 1.0:
            self._passed.popleft()
        if len(self._passed) >= self.limit:
            return False
        self._passed.append(now)
        return True


class Service:
    """State of one emulator, shared by its handlers."""

    def __init__(self, world: World, options: EmulatorOptions) -> None:
        self.world = world
        self.options = options
        self.lists = Lists(world)
        self.set_day: date | None = options.today
        self.faults: dict[str, float] = {}
        self.rate = RateLimit(options.rate_limit)
        self.account = Account(options)
        self.bulk = BatchDesk()
        self.requests: dict[str, Counter[int]] = {}
        self.struck: Counter[str] = Counter()
        self.embedded_inputs = 0
        self._chance = random.Random(options.seed)
        self._lock = threading.Lock()
        self.set_faults(options.faults)

    @property
    def today(self) -> date:
        """The emulator's day: the one set, else the UTC calendar's."""
        return self.set_day or datetime.now(UTC).date()

    def set_faults(self, faults: Mapping[str, float]) -> None:
        """Replace the active faults; ValueError for an unknown name or a rate outside 0 to 1."""
        self.faults = known_faults(faults)

    def reset_counts(self) -> None:
        """Forget all requests so far."""
        with self._lock:
            self.requests = {}
            self.struck = Counter()
            self.embedded_inputs = 0
            self.rate.busiest = 0

    def count(self, endpoint: str, status: int) -> None:
        """Note an answered request."""
        with self._lock:
            self.requests.setdefault(endpoint, Counter())[status] += 1

    def count_embedded(self, inputs: int) -> None:
        """Note texts for which vectors were sent."""
        with self._lock:
            self.embedded_inputs += inputs

    def within_rate(self) -> bool:
        """Whether one more TMDB request is within the rate limit now."""
        with self._lock:
            return self.rate.passes(time.monotonic())

    def spoilt(self, thing: T, where: Where, subject: int = 0) -> T:
        """Leave the thing as it is, or spoil it with one of the active faults of that place."""
        for name, rate in self.faults.items():
            fault = FAULTS[name]
            if fault.where == where and self._draw() < rate:
                with self._lock:
                    self.struck[name] += 1
                spoilt: T = fault.effect(thing, self._situation(subject))
                return spoilt
        return thing

    def state(self) -> dict[str, Any]:
        """Give what the control endpoint shows."""
        with self._lock:
            requests = {
                endpoint: {str(status): count for status, count in sorted(counts.items())}
                for endpoint, counts in sorted(self.requests.items())
            }
            struck = dict(sorted(self.struck.items()))
        return {
            "today": self.today.isoformat(),
            "faults": dict(self.faults),
            "struck": struck,
            "requests": requests,
            "embedded_inputs": self.embedded_inputs,
            "max_requests_in_any_second": self.rate.busiest,
        }

    def _draw(self) -> float:
        with self._lock:
            return self._chance.random()

    def _situation(self, subject: int) -> Situation:
        return Situation(subject, self.options.retry_after, datetime.now(UTC))
