"""The state of a running emulator: its day, its faults, its counts and its rate limit.

Handlers read it; the control endpoint and `server.TmdbEmulator` change it.
"""

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from movie_assets.emulator.account import Account
from movie_assets.emulator.batch_storage import BatchStorage
from movie_assets.emulator.faults import FAULTS, Situation, Where, known_faults
from movie_assets.emulator.lists import Lists
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.series_lists import SeriesLists
from movie_assets.emulator.world import HasSeries, World

T = TypeVar("T")


class RateLimit:
    """At most `limit` requests in any sliding second; 0 is no limit. `busiest` counts the busiest second's requests."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.busiest = 0
        self._arrived: deque[float] = deque()
        self._passed: deque[float] = deque()

    def passes(self, now: float) -> bool:
        """Count a request at `now` (monotonic seconds), and return whether it is within the limit."""
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
    """The state of one emulator, which its handlers share."""

    def __init__(self, world: World, options: EmulatorOptions) -> None:
        self.world = world
        self.options = options
        self.lists = Lists(world)
        self.series = world.series if isinstance(world, HasSeries) else None
        self.series_lists = SeriesLists(self.series) if self.series else None
        self.set_day: date | None = options.today
        self.faults: dict[str, float] = {}
        self.rate = RateLimit(options.rate_limit)
        self.account = Account(options)
        self.bulk = BatchStorage()
        self.requests: dict[str, Counter[int]] = {}
        self.struck: Counter[str] = Counter()
        self.embedded_inputs = 0
        self.omdb_calls = Counter[date]()
        self._loading = 0
        self._chance = random.Random(options.seed)
        self._lock = threading.Lock()
        self.set_faults(options.faults)

    @property
    def today(self) -> date:
        """The emulator's day: the one that was set, else the UTC calendar's."""
        return self.set_day or datetime.now(UTC).date()

    def set_faults(self, faults: Mapping[str, float]) -> None:
        """Replace the active faults. Raises ValueError for an unknown name or a rate outside 0 to 1."""
        self.faults = known_faults(faults)

    def reset_counts(self) -> None:
        """Set all counts to zero."""
        with self._lock:
            self.requests = {}
            self.struck = Counter()
            self.embedded_inputs = 0
            self.rate.busiest = 0

    def count(self, endpoint: str, status: int) -> None:
        """Count a request under its endpoint and the status that was sent."""
        with self._lock:
            self.requests.setdefault(endpoint, Counter())[status] += 1

    def count_embedded(self, inputs: int) -> None:
        """Count texts for which vectors were sent."""
        with self._lock:
            self.embedded_inputs += inputs

    def within_omdb_quota(self) -> bool:
        """Count a request to OMDb, and return whether it is within the calls of the day."""
        with self._lock:
            self.omdb_calls[self.today] += 1
            return self.omdb_calls[self.today] <= self.options.omdb_calls

    def count_loading(self) -> int:
        """Count a request to a server that refuses the first ones, and return their number."""
        with self._lock:
            self._loading += 1
            return self._loading

    def within_rate(self) -> bool:
        """Count a TMDB request, and return whether it is within the rate limit."""
        with self._lock:
            return self.rate.passes(time.monotonic())

    def with_fault(self, value: T, where: Where, subject: int = 0) -> T:
        """Return the value as it is, or changed by one of the active faults of that place."""
        for name, rate in self.faults.items():
            fault = FAULTS[name]
            if fault.where == where and self._draw() < rate:
                with self._lock:
                    self.struck[name] += 1
                changed: T = fault.effect(value, self._situation(subject))
                return changed
        return value

    def state(self) -> dict[str, Any]:
        """Return the state that the control endpoint returns."""
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
