"""The interface of a world of films: a pure function of its source, its seed and the day.

The worlds are `moving_world` (bundled and made-up films) and `recorded_world` (details from a file); `tmdb` and
`export` serve them.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt


class ExportRow(NamedTuple):
    """One line of the daily ID export; `softcore` None leaves the key out."""

    adult: bool
    tmdb_id: int
    original_title: str
    popularity: float
    video: bool
    softcore: bool | None


@dataclass(frozen=True)
class Change:
    """An id that is new, changed or deleted on a day; `adult` is None for a deleted one."""

    tmdb_id: int
    adult: bool | None


@dataclass(frozen=True)
class Columns:
    """Every film of a day in columns, for lists and discovery.

    `release` is the ordinal of the release day (0 unknown), `genres` bits in the order of `shapes.GENRES`.
    """

    tmdb_id: npt.NDArray[np.int64]
    popularity: npt.NDArray[np.float64]
    vote_count: npt.NDArray[np.int64]
    vote_average: npt.NDArray[np.float64]
    release: npt.NDArray[np.int64]
    runtime: npt.NDArray[np.int64]
    language: npt.NDArray[np.str_]
    genres: npt.NDArray[np.uint32]
    adult: npt.NDArray[np.bool_]


class World(Protocol):
    """A world of films, day by day."""

    def body(self, tmdb_id: int, day: date, parts: Collection[str]) -> bytes | None:
        """Return a film's details with the requested sub-objects, as JSON; None if there is no such film."""

    def detail(self, tmdb_id: int, day: date) -> dict[str, Any] | None:
        """Return a film's details without sub-objects; None if there is no such film."""

    def id_of(self, imdb_id: str, day: date) -> int | None:
        """Return the id of the film with this IMDb id."""

    def export(self, day: date) -> Iterator[Sequence[ExportRow]]:
        """Yield the lines of the day's ID export, in pieces of some thousands, ascending by id."""

    def changes(self, day: date) -> Sequence[Change]:
        """Return the ids that are new, changed in text or deleted since the day before."""

    def columns(self, day: date) -> Columns:
        """Return every film of the day in columns."""

    def titles(self, day: date) -> Iterable[tuple[int, str]]:
        """Return (id, title) of every film of the day."""
