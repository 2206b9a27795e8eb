"""The series of the rehearsal: which of them the catalogue must have each day, and their seasons and episodes.

The truth follows from the emulator's world alone. TMDB's lists are read in slices, so votes and averages are those of
the day on which a series was last read or fetched; on which side of the profile's votes it is, is that of the day.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from movie_assets.emulator.series import Episode, Series
from movie_assets.emulator.series_edits import series_edits
from movie_assets_tests.rehearsal.comparison import Differences
from movie_assets_tests.rehearsal.rules import LANGUAGES, MIN_POPULARITY
from movie_assets_tests.rehearsal.world import RehearsedSeries

PROFILE = "series"
MIN_VOTES, MIN_AVERAGE, FIRST_AIRED_SINCE = 50, 5.0, date(1990, 1, 1)  # of the profile
SERIES_COLUMNS = (
    "imdb_id", "title", "original_title", "original_language", "first_air_date", "runtime_minutes", "status", "type",
    "in_production", "has_ended", "number_of_seasons", "number_of_episodes", "last_episode_id", "last_episode_date",
    "next_episode_id", "next_episode_date", "overview", "tagline", "genres", "networks", "creators",
)  # fmt: skip
QUERIES = {  # each begins with the id of a row and that of its series
    "series": f"select tmdb_id, tmdb_id, {', '.join(SERIES_COLUMNS)} from catalog.series",
    "seasons": "select season_id, catalog.tmdb_id(title_id), season_number, name, overview, air_date, episode_count "
    "from catalog.seasons",
    "episodes": "select episode_id, catalog.tmdb_id(title_id), season_number, episode_number, name, overview, "
    "air_date, runtime_minutes, episode_type from catalog.episodes",
    "next episodes": "select s.tmdb_id, s.tmdb_id, e.episode_id from catalog.series s, "
    "catalog.next_episode(s.title_id, '{day}') e",
    "vectors": "select catalog.tmdb_id(title_id), catalog.tmdb_id(title_id), t.text_hash = v.text_hash "
    "from catalog.titles t join {vectors} v using (title_id)",
    "documents": "select catalog.tmdb_id(title_id), catalog.tmdb_id(title_id), true "
    "from catalog.title_documents where title_id > 1000000000",
}
Rows = dict[int, tuple[Any, ...]]


@dataclass
class SeriesDay:
    """What a day came to; `needed` is the fewest calls with which its truth can be known."""

    expected: int = 0
    episodes: int = 0
    added: int = 0  # episodes that series of the catalogue did not have the day before
    moved: int = 0  # episodes that have other numbers than the day before
    calls: int = 0
    needed: int = 0
    differences: Differences = field(default_factory=Differences)


@dataclass
class SeriesTruth:
    """Follows the series from day to day."""

    world: RehearsedSeries
    day: date = date.min
    accepted: dict[int, Series] = field(default_factory=dict)
    asked_on: dict[int, date] = field(default_factory=dict)
    numbers: dict[int, tuple[int, int]] = field(default_factory=dict)  # of the episodes of the day before

    def live(
        self, connection: sa.Connection, day: date, read_on: Mapping[int, date], requested: Collection[int]
    ) -> SeriesDay:
        """Compare the catalogue with the day's truth; `read_on` has the days on which the lists were read, by id.

        `requested` has the ids that were requested on the day.
        """
        self.day = day
        there = {each.tmdb_id: each for each in self.world.all_series(day)}
        unknown = set(requested) - self.asked_on.keys()
        needed = sum(self._is_needed(each) or each.tmdb_id in unknown for each in there.values())
        found = SeriesDay(calls=len(self.world.asked), needed=needed)
        self.asked_on |= dict.fromkeys(self.world.asked, day)
        self.world.asked.clear()
        self.accepted = {tmdb_id: each for tmdb_id, each in there.items() if self._passes(each, read_on)}
        episodes = {e.episode_id: e for each in self.accepted.values() for e in episodes_of(each)}
        before, self.numbers = self.numbers, {i: (e.season_number, e.number) for i, e in episodes.items()}
        found.expected, found.episodes = len(self.accepted), len(episodes)
        found.added = len(self.numbers.keys() - before.keys())
        found.moved = sum(before[n] != now for n, now in self.numbers.items() if n in before)
        found.differences = self.compare(connection)
        return found

    def _is_needed(self, series: Series) -> bool:
        """Return whether TMDB says something of a series that it did not say the day before.

        Only those that the lists let in count. Votes and popularity come from lists and export.
        """
        if not _is_listed(series) or series.adult:
            return False
        before = self.world.series(series.tmdb_id, self.day - timedelta(days=1))
        if before is None or series.tmdb_id not in self.asked_on:
            return True
        return bool(series_edits(before, series, self.day)) or _ids_around(before) != _ids_around(series)

    def _passes(self, series: Series, read_on: Mapping[int, date]) -> bool:
        """Return whether the catalogue must have a series. Adult ones are in an export that is not read."""
        known_on = max(
            read_on.get(series.tmdb_id, date.min), self.asked_on.get(series.tmdb_id, date.min), date(1970, 1, 1)
        )
        known = self.world.series(series.tmdb_id, known_on) or series
        return (
            not (series.adult or series.softcore)
            and series.popularity >= MIN_POPULARITY
            and known.vote_count >= MIN_VOTES
            and known.vote_average >= MIN_AVERAGE
            and series.first_air_date is not None
            and series.first_air_date >= FIRST_AIRED_SINCE
            and series.language in LANGUAGES
        )

    def compare(self, connection: sa.Connection) -> Differences:
        """Compare the series of a catalogue with those of the day."""
        differences, apart = Differences(), set[int]()
        active = "select catalog.vector_table(set_id, 'series') from catalog.embedding_sets where is_active"
        (vectors,) = connection.exec_driver_sql(active).scalars()
        for name, query in QUERIES.items():
            rows = connection.exec_driver_sql(query.format(day=self.day, vectors=f"catalog.{vectors}"))
            stored = {row[0]: tuple(row[1:]) for row in rows}
            expected = self._expected(name)
            if name == "series":
                apart = stored.keys() ^ expected.keys()
                differences.missing = len(expected.keys() - stored.keys())
                differences.beyond = len(stored.keys() - expected.keys())
                for tmdb_id in sorted(apart):
                    differences.tell(f"series {tmdb_id} is {'missing' if tmdb_id in expected else 'beyond the truth'}")
            for row_id in sorted(stored.keys() | expected.keys()):
                is_now, should_be = stored.get(row_id), expected.get(row_id)
                if is_now != should_be and (is_now or should_be or (0,))[0] not in apart:
                    differences.wrong += 1
                    differences.tell(f"{name} {row_id} {_told_apart(is_now, should_be)}")
        return differences

    def _expected(self, name: str) -> Rows:
        every = self.accepted.values()
        if name == "series":
            return {each.tmdb_id: (each.tmdb_id, *_values(each)) for each in every}
        if name == "seasons":
            return {
                s.season_id: (each.tmdb_id, s.number, s.name, s.overview or None, s.air_date, s.episode_count)
                for each in every
                for s in each.seasons
            }
        if name == "episodes":
            return {e.episode_id: (each.tmdb_id, *_episode(e)) for each in every for e in episodes_of(each)}
        if name == "next episodes":
            upcoming = {each.tmdb_id: self._next_episode(each) for each in every}
            return {tmdb_id: (tmdb_id, e.episode_id) for tmdb_id, e in upcoming.items() if e is not None}
        return {tmdb_id: (tmdb_id, True) for tmdb_id in self.accepted}

    def _next_episode(self, series: Series) -> Episode | None:
        dated = [e for e in episodes_of(series) if e.season_number and e.air_date and e.air_date >= self.day]
        return min(dated, key=lambda e: (e.air_date, e.season_number, e.number), default=None)


def _told_apart(is_now: tuple[Any, ...] | None, should_be: tuple[Any, ...] | None) -> str:
    """Say what differs of a row: the values that do, or that there is one row only."""
    if is_now is None or should_be is None:
        return f"is {is_now}, not {should_be}"
    pairs = zip(is_now, should_be, strict=True)
    return "; ".join(f"has {value!r}, not {right!r}" for value, right in pairs if value != right)


def episodes_of(series: Series) -> Iterable[Episode]:
    """Every episode of a series, as TMDB lists them."""
    return (episode for season in series.seasons for episode in season.episodes)


def _ids_around(series: Series) -> tuple[int | None, int | None]:
    """The ids of the last and of the next episode, which change without an edit when an episode is aired."""
    last, upcoming = series.last_episode, series.next_episode
    return last.episode_id if last else None, upcoming.episode_id if upcoming else None


def _is_listed(series: Series) -> bool:
    """Return whether the export and TMDB's lists leave open that a series passes the profile."""
    return (
        series.popularity >= MIN_POPULARITY
        and series.vote_count >= MIN_VOTES
        and series.vote_average >= MIN_AVERAGE
        and series.first_air_date is not None
        and series.first_air_date >= FIRST_AIRED_SINCE
        and series.language in LANGUAGES
    )


def _values(series: Series) -> tuple[Any, ...]:
    """The values of SERIES_COLUMNS."""
    last, upcoming = series.last_episode, series.next_episode
    known = sorted(e.runtime for e in episodes_of(series) if e.season_number and e.runtime)
    return (
        series.imdb_id, series.name, series.original_name, series.language, series.first_air_date,
        known[(len(known) - 1) // 2] if known else None, series.status, series.type,
        series.status not in ("Ended", "Canceled"), series.status in ("Ended", "Canceled"),
        sum(season.number > 0 for season in series.seasons),
        sum(season.episode_count for season in series.seasons if season.number > 0),
        last and last.episode_id, last and last.air_date, upcoming and upcoming.episode_id,
        upcoming and upcoming.air_date, series.overview or None, series.tagline or None, sorted(series.genres),
        [network.name for network in series.networks], [person.name for person in series.people.creators()],
    )  # fmt: skip


def _episode(episode: Episode) -> tuple[Any, ...]:
    return (
        episode.season_number, episode.number, episode.name, episode.overview or None, episode.air_date,
        episode.runtime, episode.episode_type,
    )  # fmt: skip


def total(days: Iterable[SeriesDay]) -> Counter[str]:
    """The sums of the days' counts."""
    sums: Counter[str] = Counter()
    for day in days:
        sums.update(added=day.added, moved=day.moved, calls=day.calls, needed=day.needed)
    return sums
