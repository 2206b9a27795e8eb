"""The days on which each made-up film exists, and those on which its text changes, computed from its number.

The world has a fixed number of slots with one film each. Three slots in five always have the same film; in the others
a film is deleted after `period` days, and a new one with a higher number takes its place on the same day. So about
0.4 % of the films leave and 0.4 % arrive each day, the number of films is constant, and any day is computed as quickly
as the first. `traits` makes the figures of the films.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from movie_assets.emulator.chance import Word

EPOCH = date(2025, 1, 1)
TURNOVER_DAYS = 100
REVISION_DAYS = 100

Numbers = npt.NDArray[np.int64]


def day_index(day: date) -> int:
    """Return the days since the epoch; on earlier days no film arrives, leaves or changes."""
    return (day - EPOCH).days


def revision(rank: Word, day: int, cycle: int = REVISION_DAYS) -> Word:
    """Return how often the text of the film with this rank has changed by that day: once a cycle."""
    return (max(day, 0) + rank % cycle) // cycle


def revised_ranks(count: int, day: int, cycle: int) -> Numbers:
    """Return the ranks below `count` whose text changes on that day."""
    if day < 1 or count < 1:
        return np.empty(0, dtype=np.int64)
    return np.arange(-day % cycle, count, cycle, dtype=np.int64)


@dataclass(frozen=True)
class Lifecycle:
    """The arrivals and departures of a made-up world of `slots` films."""

    slots: int

    @property
    def passing(self) -> int:
        """The number of slots whose film is replaced: those with 0 or 3 as remainder by five."""
        return 2 * (self.slots // 5) + (self.slots % 5 > 0) + (self.slots % 5 > 3)  # noqa: PLR2004

    @property
    def period(self) -> int:
        """The days between two replacements in a slot; fewer in a tiny world, so that each day has a change."""
        return max(1, min(TURNOVER_DAYS, self.passing))

    def alive(self, day: int) -> Numbers:
        """Return the numbers of the films that exist on a day, ascending."""
        numbers = np.arange(self.slots, dtype=np.int64)
        ranks = np.arange(self.passing, dtype=np.int64)
        phases = ranks * self.period // max(self.passing, 1)
        generation = np.where(day > phases, (day - 1 - phases) // self.period + 1, 0)
        slots = ranks // 2 * 5 + ranks % 2 * 3
        numbers[slots] = np.where(generation > 0, self.slots + (generation - 1) * self.passing + ranks, numbers[slots])
        return np.sort(numbers)

    def is_alive(self, number: int, day: int) -> bool:
        """Return whether the film with this number exists on that day."""
        if number < 0 or (number >= self.slots and self.passing == 0):
            return False
        if number < self.slots:
            return number % 5 not in {0, 3} or day < int(self._birth(self._rank(number), 1))
        generation, rank = self._origin(number)
        first, last = self._birth(rank, generation), self._birth(rank, generation + 1)
        return bool(first <= day < last)

    def birth(self, number: Word) -> Word:
        """Return the first day of a number beyond the first generation."""
        later = number - self.slots
        rank = later % max(self.passing, 1)
        return self._birth(rank, later // max(self.passing, 1) + 1)

    def slot(self, number: int) -> int:
        """Return the slot of a number."""
        if number < self.slots:
            return number
        rank = (number - self.slots) % self.passing
        return rank // 2 * 5 + rank % 2 * 3

    def end(self, number: int) -> int | None:
        """Return the first day on which a number no longer exists, None for one that stays."""
        if number >= self.slots:
            generation, rank = self._origin(number)
            return int(self._birth(rank, generation + 1))
        return int(self._birth(self._rank(number), 1)) if number % 5 in {0, 3} else None

    def ended(self, slot: int, day: int) -> Iterator[int]:
        """Yield the numbers that a slot has had and no longer has on a day, the latest first."""
        if slot % 5 not in {0, 3} or not 0 <= slot < self.slots:
            return
        rank = self._rank(slot)
        phase = rank * self.period // self.passing
        generation = (day - 1 - phase) // self.period + 1 if day > phase else 0
        for earlier in range(generation - 1, 0, -1):
            yield self.slots + (earlier - 1) * self.passing + rank
        if generation > 0:
            yield slot

    def born(self, day: int) -> Numbers:
        """Return the numbers that are new on that day."""
        generation, ranks = self._ending(day)
        return self.slots + generation * self.passing + ranks

    def deleted(self, day: int) -> Numbers:
        """Return the numbers that existed the day before and do not exist on that day."""
        generation, ranks = self._ending(day)
        if generation == 0:
            return ranks // 2 * 5 + ranks % 2 * 3
        return self.slots + (generation - 1) * self.passing + ranks

    def revised(self, day: int) -> Numbers:
        """Return the numbers of films whose text changed on that day (they existed the day before as well)."""
        if day < 1 or not self.slots:
            return np.empty(0, dtype=np.int64)
        alive = self.alive(day)
        due = alive[(day + alive % REVISION_DAYS) % REVISION_DAYS == 0]
        return np.setdiff1d(due, self.born(day), assume_unique=True)

    def _ending(self, day: int) -> tuple[int, Numbers]:
        """Return the generation that ends on a day, and the ranks in which it ends."""
        if day < 1 or not self.passing:
            return 0, np.empty(0, dtype=np.int64)
        generation, phase = divmod(day - 1, self.period)
        low = -(-phase * self.passing // self.period)
        high = -(-(phase + 1) * self.passing // self.period)
        return generation, np.arange(low, high, dtype=np.int64)

    def _birth(self, rank: Word, generation: Word) -> Word:
        return rank * self.period // self.passing + 1 + (generation - 1) * self.period

    def _rank(self, slot: int) -> int:
        return slot // 5 * 2 + (slot % 5 == 3)  # noqa: PLR2004

    def _origin(self, number: int) -> tuple[int, int]:
        later, rank = divmod(number - self.slots, self.passing)
        return later + 1, rank
