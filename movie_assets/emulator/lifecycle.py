"""Which made-up films exist on which day, and when their texts change: arithmetic on numbers, no replay.

The world has a fixed number of slots, one living film each. Three slots in five keep their film for ever;
in the others a film vanishes for good after `period` days and a new one, with a new and higher number,
takes its place the same day. So about 0.4 % of the films go and 0.4 % come each day, the size never moves,
and any day is computed as quickly as the first. What a film is like belongs to `traits`.
"""

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
    """Days since the epoch; before it, nothing comes, goes or is rewritten."""
    return (day - EPOCH).days


def revision(rank: Word, day: int, cycle: int = REVISION_DAYS) -> Word:
    """How often the text of the film with this rank has been changed by that day: once a cycle."""
    return (max(day, 0) + rank % cycle) // cycle


def revised_ranks(count: int, day: int, cycle: int) -> Numbers:
    """Ranks below `count` whose revision went up on that day."""
    if day < 1 or count < 1:
        return np.empty(0, dtype=np.int64)
    return np.arange(-day % cycle, count, cycle, dtype=np.int64)


@dataclass(frozen=True)
class Lifecycle:
    """The comings and goings of a made-up world of `slots` films."""

    slots: int

    @property
    def passing(self) -> int:
        """Number of slots whose film does not stay: those with 0 or 3 as remainder by five."""
        return 2 * (self.slots // 5) + (self.slots % 5 > 0) + (self.slots % 5 > 3)  # noqa: PLR2004

    @property
    def period(self) -> int:
        """Days a passing slot keeps its film; shorter in a tiny world, so that each day sees a change."""
        return max(1, min(TURNOVER_DAYS, self.passing))

    def alive(self, day: int) -> Numbers:
        """Numbers of the films that exist on a day, ascending."""
        numbers = np.arange(self.slots, dtype=np.int64)
        ranks = np.arange(self.passing, dtype=np.int64)
        phases = ranks * self.period // max(self.passing, 1)
        generation = np.where(day > phases, (day - 1 - phases) // self.period + 1, 0)
        slots = ranks // 2 * 5 + ranks % 2 * 3
        numbers[slots] = np.where(generation > 0, self.slots + (generation - 1) * self.passing + ranks, numbers[slots])
        return np.sort(numbers)

    def is_alive(self, number: int, day: int) -> bool:
        """Whether the film with this number exists on that day."""
        if number < 0 or (number >= self.slots and self.passing == 0):
            return False
        if number < self.slots:
            return number % 5 not in {0, 3} or day < int(self._birth(self._rank(number), 1))
        generation, rank = self._origin(number)
        first, last = self._birth(rank, generation), self._birth(rank, generation + 1)
        return bool(first <= day < last)

    def birth(self, number: Word) -> Word:
        """Day on which a number beyond the first generation came (or comes) into the world."""
        later = number - self.slots
        rank = later % max(self.passing, 1)
        return self._birth(rank, later // max(self.passing, 1) + 1)

    def born(self, day: int) -> Numbers:
        """Numbers that are new on that day."""
        generation, ranks = self._turning(day)
        return self.slots + generation * self.passing + ranks

    def gone(self, day: int) -> Numbers:
        """Numbers that existed the day before and do not on that day."""
        generation, ranks = self._turning(day)
        if generation == 0:
            return ranks // 2 * 5 + ranks % 2 * 3
        return self.slots + (generation - 1) * self.passing + ranks

    def revised(self, day: int) -> Numbers:
        """Numbers of films whose text changed on that day (they existed the day before as well)."""
        if day < 1 or not self.slots:
            return np.empty(0, dtype=np.int64)
        alive = self.alive(day)
        due = alive[(day + alive % REVISION_DAYS) % REVISION_DAYS == 0]
        return np.setdiff1d(due, self.born(day), assume_unique=True)

    def _turning(self, day: int) -> tuple[int, Numbers]:
        """Find the generation that ends on a day, and the ranks in which it does."""
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
