"""The made-up series of the moving world, and the truth about them on any day.

`series` and `all_series` return what TMDB knows on a day, with seasons and episodes; everything that is served follows
from it. The feed of changes names every edit, also some that change nothing that is served. It names a series when an
episode is added, and not when it airs.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from movie_assets.emulator import series_details, series_edits
from movie_assets.emulator.lifecycle import day_index
from movie_assets.emulator.made_up_series import MadeUpSeries, id_of, number_of_external
from movie_assets.emulator.responses import compact_json
from movie_assets.emulator.series import Episode, Season, Series
from movie_assets.emulator.series_shapes import STATUS_CODES, TV_GENRE_BITS, TYPE_CODES
from movie_assets.emulator.shapes import Json
from movie_assets.emulator.timelines import EPISODES_A_SERIES, SEASONS_A_SERIES
from movie_assets.emulator.traits import EPOCH_ORDINAL
from movie_assets.emulator.vocabulary import vocabulary
from movie_assets.emulator.world import Change, Level, SeriesColumns, SeriesExportRow

MAX_NETWORKS = 2


class MovingSeries:
    """`count` made-up series on any day, each made when it is asked for."""

    def __init__(self, count: int, seed: int) -> None:
        self._made_up = MadeUpSeries(seed, count)
        self.changes = lru_cache(maxsize=32)(self._changes)
        self.columns = lru_cache(maxsize=3)(self._columns)
        self._numbers = lru_cache(maxsize=8)(self._numbers_by_id)

    def series(self, tmdb_id: int, day: date) -> Series | None:
        """Return the truth about one series on a day, None if it does not exist then."""
        number = self._made_up.number_of(tmdb_id, day_index(day))
        return None if number is None else self._made_up.series(number, day_index(day))

    def ids(self, day: date) -> list[int]:
        """Return the ids of the series that exist on a day, ascending."""
        return [id_of(number) for number in self._numbers(day)]

    def all_series(self, day: date) -> Iterator[Series]:
        """Yield the truth about every series on a day, ascending by id."""
        for number in self._numbers(day):
            yield self._made_up.series(number, day_index(day))

    def merged_into(self, tmdb_id: int, day: date) -> int | None:
        """Return the id of the series into which one was merged by a day; None if it exists or was only deleted."""
        return next((series for deleted, series in self._merged(day).items() if deleted == tmdb_id), None)

    def body(self, tmdb_id: int, day: date, parts: Collection[str]) -> bytes | None:
        """Return details with the requested sub-objects and seasons, as JSON."""
        series = self.series(tmdb_id, day)
        return None if series is None else compact_json(series_details.with_parts(series, parts, day))

    def season_body(self, tmdb_id: int, number: int, day: date, parts: Collection[str]) -> bytes | None:
        """Return a season with its episodes and the requested sub-objects, as JSON."""
        series = self.series(tmdb_id, day)
        season = series.season(number) if series else None
        if series is None or season is None:
            return None
        return compact_json(series_details.season_detail(series, season, parts))

    def detail(self, tmdb_id: int, day: date) -> dict[str, Any] | None:
        """Return details without sub-objects."""
        series = self.series(tmdb_id, day)
        return None if series is None else series_details.detail(series)

    def find(self, source: str, external_id: str, day: date) -> dict[str, list[Json]]:
        """Return the series, seasons and episodes with an id at IMDb (`imdb_id`) or TVDB (`tvdb_id`)."""
        results: dict[str, list[Json]] = {"tv_results": [], "tv_season_results": [], "tv_episode_results": []}
        wanted = number_of_external(source, external_id)
        if wanted.series is not None:
            heir = self._made_up.heir(wanted.series) if self._could_exist(wanted.series) else None
            for number in (wanted.series, heir):
                series = self._by_number(number, day)
                if series and external_id in {series.imdb_id, str(series.tvdb_id)}:
                    results["tv_results"].append({**series_details.item(series), "media_type": "tv"})
        if wanted.season is not None:
            series, season = self.season(wanted.season, day)
            if series and season:
                results["tv_season_results"].append(series_details.season_result(series, season))
        if wanted.episode is not None:
            series, episode = self.episode(wanted.episode, day)
            if series and episode:
                results["tv_episode_results"].append(series_details.episode_result(series, episode))
        return results

    def season(self, season_id: int, day: date) -> tuple[Series | None, Season | None]:
        """Return the season with an id and its series, on a day."""
        series = self._by_number((season_id - 1) // SEASONS_A_SERIES, day)
        seasons = series.seasons if series else ()
        return series, next((season for season in seasons if season.season_id == season_id), None)

    def episode(self, episode_id: int, day: date) -> tuple[Series | None, Episode | None]:
        """Return the episode with an id and its series, on a day."""
        series = self._by_number((episode_id - 1) // EPISODES_A_SERIES, day)
        episodes = (episode for season in (series.seasons if series else ()) for episode in season.episodes)
        return series, next((episode for episode in episodes if episode.episode_id == episode_id), None)

    def export(self, day: date) -> Iterator[Sequence[SeriesExportRow]]:
        """Yield the export lines of the series of a day."""
        index, traits = day_index(day), self._made_up.traits
        numbers = np.array(self._numbers(day), dtype=np.int64)
        popularity, adult = traits.popularity(numbers, index).tolist(), traits.flags(numbers)[0].tolist()
        yield [
            SeriesExportRow(id_of(number), self._made_up.original_name(number), score, is_adult)
            for number, score, is_adult in zip(numbers.tolist(), popularity, adult, strict=True)
        ]

    def titles(self, day: date) -> Iterator[tuple[int, str]]:
        """Yield (id, name) of every series of the day."""
        for number in self._numbers(day):
            yield id_of(number), self._made_up.name(number)

    def airing(self, first: date, last: date, day: date) -> npt.NDArray[np.bool_]:
        """Return which series of the columns have an episode that airs within these days."""
        span, index = (day_index(first), day_index(last)), max(day_index(day), 0)
        numbers = self._numbers(day)
        return np.array(
            [self._made_up.timeline(number).airs_within(*span, index) for number in numbers], dtype=np.bool_
        )

    def edits(self, level: Level, tmdb_id: int, day: date) -> list[dict[str, Any]] | None:
        """Return what was edited on a day of a series, a season or an episode."""
        yesterday = day - timedelta(days=1)
        if level == "series":
            series = self.series(tmdb_id, day)
            return None if series is None else series_edits.series_edits(self.series(tmdb_id, yesterday), series, day)
        if level == "season":
            season = self.season(tmdb_id, day)[1]
            return (
                None if season is None else series_edits.season_edits(self.season(tmdb_id, yesterday)[1], season, day)
            )
        episode = self.episode(tmdb_id, day)[1]
        return (
            None if episode is None else series_edits.episode_edits(self.episode(tmdb_id, yesterday)[1], episode, day)
        )

    def _by_number(self, number: int | None, day: date) -> Series | None:
        index = day_index(day)
        is_there = number is not None and self._could_exist(number) and self._made_up.life.is_alive(number, index)
        return self._made_up.series(number, index) if number is not None and is_there else None

    def _could_exist(self, number: int) -> bool:
        return number >= 0 and (number < self._made_up.slots or self._made_up.life.passing > 0)

    def _numbers_by_id(self, day: date) -> tuple[int, ...]:
        return tuple(sorted(self._made_up.life.alive(day_index(day)).tolist(), key=id_of))

    def _merged(self, day: date) -> dict[int, int]:
        made_up, index = self._made_up, day_index(day)
        return {
            id_of(ended): id_of(heir)
            for slot in range(made_up.slots)
            for ended in made_up.life.ended(slot, index)
            if (heir := made_up.heir(ended)) is not None
        }

    def _changes(self, day: date) -> Sequence[Change]:
        index, made_up = day_index(day), self._made_up
        deleted = made_up.life.deleted(index).tolist()
        heirs = [made_up.heir(number) for number in deleted]
        edited = {number for number in self._numbers(day) if made_up.timeline(number).is_edited(index)}
        edited.update(made_up.life.born(index).tolist(), made_up.life.revised(index).tolist())
        edited.update(heir for heir in heirs if heir is not None)
        changes = [
            Change(id_of(number), adult=bool(made_up.traits.flags(number)[0])) for number in sorted(edited, key=id_of)
        ]
        return changes + [Change(id_of(number), adult=None) for number in deleted]

    def _columns(self, day: date) -> SeriesColumns:
        index, traits = day_index(day), self._made_up.traits
        numbers = np.array(self._numbers(day), dtype=np.int64)
        plans = [self._made_up.timeline(number) for number in numbers.tolist()]
        now = max(index, 0)
        releases = [EPOCH_ORDINAL + plan.premiere if now >= plan.dated_on else 0 for plan in plans]
        codes = np.array([language.code for language in vocabulary().languages])
        pairs = list(zip(numbers.tolist(), plans, strict=True))
        themes = vocabulary().themes
        genres = [traits.genres(number, plan.kind.name, themes[traits.theme(number)]) for number, plan in pairs]
        networks = [[network.network_id for network in traits.networks(number)] for number, _ in pairs]
        rows = [(ids + [0] * MAX_NETWORKS)[:MAX_NETWORKS] for ids in networks]
        return SeriesColumns(
            tmdb_id=np.array([id_of(number) for number in numbers.tolist()], dtype=np.int64),
            popularity=traits.popularity(numbers, index),
            vote_count=traits.vote_count(numbers, index),
            vote_average=traits.vote_average(numbers, index),
            release=np.array(releases, dtype=np.int64),
            runtime=np.array([self._made_up.minutes(number) for number, _ in pairs], dtype=np.int64),
            language=codes[traits.language(numbers)],
            genres=np.array([sum(TV_GENRE_BITS[name] for name in names) for names in genres], dtype=np.uint32),
            adult=traits.flags(numbers)[0],
            status=np.array([STATUS_CODES[plan.status(now)] for plan in plans], dtype=np.int64),
            kind=np.array([TYPE_CODES[plan.kind.name] for plan in plans], dtype=np.int64),
            networks=np.array(rows, dtype=np.int64).reshape(len(rows), MAX_NETWORKS),
        )
