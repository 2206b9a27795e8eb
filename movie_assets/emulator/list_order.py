"""The order of TMDB's fixed lists, which is not that of the popularity that they show, and moves from day to day.

An id has a number for each list and region, and gets another one every few days, each id on days of its own. So a share
of the list changes daily, and the rest keeps its order. Pages repeat an entry here and there, as a list moves while its
pages are read.
"""

import zlib
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

PAGE_SIZE = 20
LAST_PAGE = 500
REPEATING = 6  # of so many pages, one begins with the last entry of the page before
# The days after which an id gets another place in a list: of the 60 first titles about a quarter leaves the list of a
# day's trend daily, a fifth that of a week, a twelfth the popular ones, as counted on recorded lists of 32 days.
DAYS_OF_A_PLACE = {"trending_day": 3, "trending_week": 4, "popular": 10, "top_rated": 200}
OTHER_DAYS = 14
FIRST, SECOND, THIRD = (np.uint64(n) for n in (0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB))


def chances(ids: Ids, name: str, days: int, day: date) -> Numbers:
    """Return a number from 0 to 1 for each id, another one every so many days."""
    seed = np.uint64(zlib.crc32(name.encode()))
    of_id = _mixed(ids.astype(np.uint64) * FIRST + seed)
    turns = (np.uint64(day.toordinal()) + of_id % np.uint64(days)) // np.uint64(days)
    return (_mixed(of_id + turns * FIRST) >> np.uint64(11)).astype(np.float64) / float(2**53)


def in_order(ids: Ids, weights: Numbers, name: str, region: str, day: date) -> Ids:
    """Return ids in the order of a list: by weight, of which no id has more than the square of its chance."""
    days = DAYS_OF_A_PLACE.get(name.removeprefix("tv "), OTHER_DAYS)
    places = weights * chances(ids, f"{name} {region}", days, day) ** 2
    return ids[np.lexsort((ids, -places))]


def page_of_ids(ids: Sequence[int], page: int, name: str, day: date) -> tuple[Sequence[int], int]:
    """Return the ids on a page of a list, and the entries on all of its pages, repeated ones included."""
    pages = -(-len(ids) // PAGE_SIZE)
    repeated = [number for number in range(2, LAST_PAGE + 1) if _repeats(number, name, day)]
    while len(ids) + sum(number <= pages for number in repeated) > pages * PAGE_SIZE:
        pages += 1
    start = (page - 1) * PAGE_SIZE - sum(number <= page for number in repeated)
    return ids[start : start + PAGE_SIZE], len(ids) + sum(number <= pages for number in repeated)


@lru_cache(maxsize=4096)
def _repeats(page: int, name: str, day: date) -> bool:
    return zlib.crc32(f"{name} {page} {day}".encode()) % REPEATING == 0


def _mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return well mixed bits (splitmix64); overflow is meant."""
    with np.errstate(over="ignore"):
        numbers = (numbers ^ (numbers >> np.uint64(30))) * SECOND
        numbers = (numbers ^ (numbers >> np.uint64(27))) * THIRD
    return numbers ^ (numbers >> np.uint64(31))
