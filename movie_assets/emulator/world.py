"""The interface of a world of films: a pure function of its source, its seed and the day.

The worlds are `moving_world` (bundled and made-up films) and `recorded_world` (details from a file); `tmdb` and
`export` serve them.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

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


Level = Literal["series", "season", "episode"]


class SeriesExportRow(NamedTuple):
    """One line of the daily ID export of series; `adult` decides in which file it is."""

    tmdb_id: int
    original_name: str
    popularity: float
    adult: bool


@dataclass(frozen=True)
class SeriesColumns(Columns):
    """Every series of a day in columns. `release` is the premiere, `genres` bits in the order of TV_GENRES.

    `status` and `kind` are TMDB's codes (-1 for others); `networks` has one or more ids a row, 0 for none.
    """

    status: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    networks: npt.NDArray[np.int64]


class SeriesWorld(Protocol):
    """A world of series, day by day."""

    def body(self, tmdb_id: int, day: date, parts: Collection[str]) -> bytes | None:
        """Return a series' details with the requested sub-objects and seasons, as JSON; None if there is none."""

    def season_body(self, tmdb_id: int, number: int, day: date, parts: Collection[str]) -> bytes | None:
        """Return a season with its episodes and the requested sub-objects, as JSON; None if there is none."""

    def detail(self, tmdb_id: int, day: date) -> dict[str, Any] | None:
        """Return a series' details without sub-objects."""

    def find(self, source: str, external_id: str, day: date) -> dict[str, list[dict[str, Any]]]:
        """Return what has an id at another site, in the lists of `/find`: `tv_results` and others."""

    def export(self, day: date) -> Iterator[Sequence[SeriesExportRow]]:
        """Yield the lines of the day's ID exports, adult series included, ascending by id."""

    def changes(self, day: date) -> Sequence[Change]:
        """Return the ids that are new, edited or deleted since the day before."""

    def columns(self, day: date) -> SeriesColumns:
        """Return every series of the day in columns."""

    def airing(self, first: date, last: date, day: date) -> npt.NDArray[np.bool_]:
        """Return which series of the columns have an episode that airs within these days, as is known on `day`."""

    def titles(self, day: date) -> Iterable[tuple[int, str]]:
        """Return (id, name) of every series of the day."""

    def edits(self, level: Level, tmdb_id: int, day: date) -> list[dict[str, Any]] | None:
        """Return what was edited on a day, as TMDB's list of changes; None without such a series, season or episode."""


@runtime_checkable
class HasSeries(Protocol):
    """A world that may have series beside its films."""

    series: SeriesWorld | None
