"""Which series a list or a discovery query names, and in which order; `lists` has what films share."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

import numpy as np

from movie_assets.emulator.list_order import in_order
from movie_assets.emulator.lists import Ids, Query, containing, mask_of, ordered
from movie_assets.emulator.series_shapes import TV_GENRES
from movie_assets.emulator.world import SeriesWorld

SeriesChart = Literal["popular", "top_rated", "airing_today", "on_the_air", "trending_day", "trending_week"]
GENRE_INDEX = {genre_id: index for index, genre_id in enumerate(TV_GENRES.values())}
TOP_RATED_VOTES = 100
ON_THE_AIR_DAYS = 7


@dataclass(frozen=True)
class SeriesQuery(Query):
    """A discovery query for series; `release_from` and `release_to` mean the premiere, codes are TMDB's."""

    air_from: date | None = None
    air_to: date | None = None
    statuses: tuple[int, ...] = ()
    kinds: tuple[int, ...] = ()
    networks: tuple[int, ...] = ()
    include_undated: bool = False


class SeriesLists:
    """The lists and queries of one world of series."""

    def __init__(self, world: SeriesWorld) -> None:
        self._world = world
        self.matches = lru_cache(maxsize=128)(self._matches)
        self.chart = lru_cache(maxsize=64)(self._chart)
        self.search = lru_cache(maxsize=16)(self._search)

    def _chart(self, name: SeriesChart, day: date) -> Ids:
        """Return the ids of one of TMDB's fixed lists, the first one first."""
        queries = {
            "top_rated": SeriesQuery(votes_from=TOP_RATED_VOTES, sort_by="vote_average.desc"),
            "airing_today": SeriesQuery(air_from=day, air_to=day),
            "on_the_air": SeriesQuery(air_from=day, air_to=day + timedelta(days=ON_THE_AIR_DAYS - 1)),
        }
        ids = self.matches(queries.get(name, SeriesQuery(include_undated=True)), day)
        return in_order(ids, np.linspace(2.0, 1.0, len(ids)), f"tv {name}", "", day)

    def _matches(self, query: SeriesQuery, day: date) -> Ids:
        columns = self._world.columns(day)
        mask = mask_of(query, columns, GENRE_INDEX)
        for column, wanted in ((columns.status, query.statuses), (columns.kind, query.kinds)):
            if wanted:
                mask &= np.isin(column, wanted)
        if query.networks:
            mask &= np.isin(columns.networks, query.networks).any(axis=1)
        if not query.include_undated:
            mask &= columns.release > 0
        if query.air_from or query.air_to:
            mask &= self._world.airing(query.air_from or date.min, query.air_to or date.max, day)
        return ordered(columns, mask, query.sort_by)

    def _search(self, words: str, day: date) -> tuple[int, ...]:
        """Return the ids of series whose name contains the words, the shortest name first."""
        return containing(words, self._world.titles(day))
