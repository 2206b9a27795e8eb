"""Which films a list or a discovery query names, and in which order.

Works on a day's columns. The results of the latest queries are cached, because a client reads page after page. `tmdb`
makes the pages.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from movie_assets.emulator.list_order import chances, in_order
from movie_assets.emulator.shapes import GENRES
from movie_assets.emulator.world import Columns, World

Chart = Literal["popular", "now_playing", "upcoming", "top_rated", "trending_day", "trending_week"]
Ids = npt.NDArray[np.int64]

SORT_COLUMNS = {
    "popularity": "popularity",
    "vote_count": "vote_count",
    "vote_average": "vote_average",
    "primary_release_date": "release",
    "release_date": "release",
}
GENRE_INDEX = {genre_id: index for index, genre_id in enumerate(GENRES.values())}
TOP_RATED_VOTES = 200
# The first and the last day of the lists of a span of days, counted from today, as TMDB has them.
SPANS = {"now_playing": (-35, 7), "upcoming": (7, 28)}
RE_RELEASED = 13  # titles that are shown again somewhere, for each new one, in a list without a region
RE_RELEASED_DAYS = 21
OLD_DAYS = 365


@dataclass(frozen=True)
class Query:
    """A discovery query; None leaves a side open, dates are ordinals.

    `genres` is a conjunction of alternatives: ((28, 12), (18,)) means (28 or 12) and 18.
    """

    release_from: int | None = None
    release_to: int | None = None
    votes_from: float | None = None
    votes_to: float | None = None
    average_from: float | None = None
    average_to: float | None = None
    runtime_from: float | None = None
    runtime_to: float | None = None
    languages: tuple[str, ...] = ()
    genres: tuple[tuple[int, ...], ...] = ()
    include_adult: bool = False
    sort_by: str = "popularity.desc"


class Lists:
    """The lists and queries of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.matches = lru_cache(maxsize=128)(self._matches)
        self.chart = lru_cache(maxsize=64)(self._chart)
        self.search = lru_cache(maxsize=16)(self._search)

    def _chart(self, name: Chart, day: date, region: str = "") -> Ids:
        """Return the ids of one of TMDB's fixed lists, the first one first; a list of a region differs from others."""
        columns = self._world.columns(day)
        if name == "top_rated":
            ids = self.matches(Query(votes_from=TOP_RATED_VOTES, sort_by="vote_average.desc"), day)
            return in_order(ids, np.linspace(2.0, 1.0, len(ids)), name, region, day)
        mask = mask_of(Query(), columns)
        if name in SPANS:
            mask &= self._is_shown(name, day, region, columns)
        return in_order(columns.tmdb_id[mask], columns.popularity[mask] + 1.0, name, region, day)

    def _is_shown(self, name: str, day: date, region: str, columns: Columns) -> npt.NDArray[np.bool_]:
        """Return which films are released within the list's days: of old ones a few in a region, many in the world."""
        first, last = (day.toordinal() + days for days in SPANS[name])
        is_new = (columns.release >= first) & (columns.release <= last)
        old = np.flatnonzero((columns.release > 0) & (columns.release < day.toordinal() - OLD_DAYS))
        shown_again = max(2, is_new.sum() // 10) if region else RE_RELEASED * max(2, is_new.sum())
        order = np.argsort(chances(columns.tmdb_id[old], f"{name} again {region}", RE_RELEASED_DAYS, day))
        is_new[old[order[:shown_again]]] = True
        return is_new

    def _matches(self, query: Query, day: date) -> Ids:
        columns = self._world.columns(day)
        return ordered(columns, mask_of(query, columns), query.sort_by)

    def _search(self, words: str, day: date) -> tuple[int, ...]:
        """Return the ids of films whose title contains the words, the shortest title first."""
        return containing(words, self._world.titles(day))


def containing(words: str, titles: Iterable[tuple[int, str]]) -> tuple[int, ...]:
    """Return the ids of titles that contain the words, the shortest title first."""
    sought = words.casefold()
    matches = [(len(title), tmdb_id) for tmdb_id, title in titles if sought in title.casefold()]
    return tuple(tmdb_id for _, tmdb_id in sorted(matches))


def ordered(columns: Columns, mask: npt.NDArray[np.bool_], sort_by: str) -> Ids:
    """Return the ids of the rows of a mask, sorted like `popularity.desc`."""
    rows = np.flatnonzero(mask)
    name, _, direction = sort_by.partition(".")
    key = getattr(columns, SORT_COLUMNS[name])[rows]
    order = np.lexsort((columns.tmdb_id[rows], key if direction == "asc" else -key))
    return columns.tmdb_id[rows[order]]


def mask_of(query: Query, columns: Columns, genre_index: Mapping[int, int] = GENRE_INDEX) -> npt.NDArray[np.bool_]:
    """Return which rows match a query; `genre_index` has the place of each genre's bit."""
    mask = np.ones(len(columns.tmdb_id), dtype=np.bool_)
    ranges = (
        (columns.release, query.release_from, query.release_to),
        (columns.vote_count, query.votes_from, query.votes_to),
        (columns.vote_average, query.average_from, query.average_to),
        (columns.runtime, query.runtime_from, query.runtime_to),
    )
    for column, low, high in ranges:
        if low is not None:
            mask &= column >= low
        if high is not None:
            mask &= column <= high
    if query.release_to is not None:
        mask &= columns.release > 0
    if query.languages:
        mask &= np.isin(columns.language, query.languages)
    for alternatives in query.genres:
        bits = sum(1 << genre_index[genre] for genre in alternatives if genre in genre_index)
        mask &= (columns.genres & np.uint32(bits)) > 0
    if not query.include_adult:
        mask &= ~columns.adult
    return mask
