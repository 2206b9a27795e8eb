"""Repeatable random numbers: the same (seed, salt, number) always gives the same 64 bits.

The arithmetic works both on one Python integer and on an array of uint64, so that the details of one film
and the export of a million agree to the last digit. `traits` gives the bits their meaning.
"""

from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

MASK = 0xFFFF_FFFF_FFFF_FFFF
FIELD_SIZE = 1 << 16

# One integer, or an array of uint64: numpy's operators take both, and its types cannot say so.
Word = Any


def mixed(word: Word) -> Word:
    """Scramble 64 bits: the finaliser of SplitMix64 (Steele et al. 2014)."""
    word = (word + 0x9E3779B97F4A7C15) & MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)


@lru_cache(maxsize=4096)
def key_of(seed: int, salt: int) -> int:
    """Return the key under which one kind of trait is drawn; `salt` may be negative (a day before the epoch)."""
    return int(mixed(int(mixed(seed & MASK)) ^ (salt & MASK)))


def drawn(key: int, number: Word) -> Word:
    """Return 64 bits for a number (or for each of an array of numbers) under a key."""
    if isinstance(number, np.ndarray):
        number = number.astype(np.uint64)
    return mixed(number ^ key)


def field(word: Word, index: int) -> Word:
    """Return one of the four 16-bit fields of a word, as signed integers, which can be subtracted."""
    part = (word >> (16 * index)) & 0xFFFF
    return part.astype(np.int64) if isinstance(part, np.ndarray) else part


def pick(word: Word, index: int, count: int) -> Word:
    """Return a number from 0 to `count` - 1, derived from one of the four 16-bit fields."""
    return (field(word, index) * count) >> 16


def chosen(condition: Any, yes: Word, no: Word) -> Word:
    """Return `yes` where the condition holds, else `no`, for one value or for arrays."""
    if isinstance(condition, np.ndarray):
        return np.where(condition, yes, no)
    return yes if condition else no


class Table:
    """65,536 equally likely outcomes, looked up with a 16-bit field."""

    def __init__(self, values: npt.NDArray[Any]) -> None:
        if len(values) != FIELD_SIZE:
            raise ValueError(f"a table has {FIELD_SIZE} entries, not {len(values)}")
        self._array = values
        self._list: list[Any] = values.tolist()

    def __getitem__(self, index: Word) -> Any:
        """Return the outcome for one field, or for an array of fields."""
        if isinstance(index, int):
            return self._list[index]
        return self._array[index]


@lru_cache(maxsize=1)
def normal_quantiles() -> npt.NDArray[np.float64]:
    """Return standard normal deviates at the middle of 65,536 equal steps of probability."""
    inverse = NormalDist().inv_cdf
    return np.array([inverse((step + 0.5) / FIELD_SIZE) for step in range(FIELD_SIZE)])


def table_of(quantile: Callable[[npt.NDArray[np.float64]], npt.NDArray[Any]]) -> Table:
    """Return the table of a distribution, given its quantile function of probabilities in (0, 1)."""
    return Table(quantile((np.arange(FIELD_SIZE) + 0.5) / FIELD_SIZE))


def lognormal_table(median: float, sigma: float) -> Table:
    """Return the table of a log-normal distribution."""
    return Table(np.asarray(median * np.exp(sigma * normal_quantiles())))


def weighted_table(outcomes: list[tuple[int, float]]) -> Table:
    """Return a table of integers from (integer, weight) pairs; each is as frequent as its weight."""
    weights = np.array([weight for _, weight in outcomes])
    edges = np.cumsum(weights) / weights.sum()
    values = np.array([value for value, _ in outcomes], dtype=np.int64)
    return table_of(lambda p: values[np.searchsorted(edges, p, side="right").clip(max=len(values) - 1)])
