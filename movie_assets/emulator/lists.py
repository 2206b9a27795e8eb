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

from movie_assets.emulator.shapes import GENRES
from movie_assets.emulator.world import Columns, World

Chart = Literal["popular", "now_playing", "upcoming", "top_rated"]
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
NOW_PLAYING_DAYS = 42
UPCOMING_DAYS = 21


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
        self.search = lru_cache(maxsize=16)(self._search)

    def chart(self, name: Chart, day: date) -> Ids:
        """Return the ids of one of TMDB's fixed lists, the best first."""
        today = day.toordinal()
        queries = {
            "popular": Query(),
            "top_rated": Query(votes_from=TOP_RATED_VOTES, sort_by="vote_average.desc"),
            "now_playing": Query(release_from=today - NOW_PLAYING_DAYS, release_to=today),
            "upcoming": Query(release_from=today + 1, release_to=today + UPCOMING_DAYS),
        }
        return self.matches(queries[name], day)

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
