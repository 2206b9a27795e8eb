"""Which seasons of a series are fetched, and in which calls.

TMDB appends at most 20 parts to the response for a series, and sub-resources and whole seasons share them. So the first
call brings the sub-resources and the seasons that have probably changed; its response lists all seasons and says which
others are needed. Of a series that was never fetched, the first call asks for the seasons with the lowest numbers: TMDB
leaves out those that do not exist. Pure functions; `tmdb.details` makes the calls.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from movie_assets.tmdb.seasons import SEASON_KEY, Episode, Season
from movie_assets.tmdb.series import Series

MAX_PARTS = 20  # of a response, appended; TMDB refuses 21 (HTTP 400)
MAX_EPISODES_OF_A_CALL = 500  # a response may have 10 MB; an episode with its guests has 1 to 15 kB
MAX_FURTHER_CALLS = 25  # for one series and fetch; seasons that do not fit are due at the next one
MAX_SEASON_AGE = timedelta(days=90)  # an edit of an old episode changes nothing that the series shows
RECENT = timedelta(days=30)  # names, runtimes and images of an episode come for some weeks after it was aired


class KnownSeason(NamedTuple):
    """A season as its series listed it when it was fetched last; `fetched_at` is the time of its episodes, if any.

    One that is moving has an episode that is still to come or was aired lately, of which names and runtimes may come.
    """

    season_id: int
    season_number: int
    episode_count: int | None
    air_date: date | None
    fetched_at: datetime | None
    is_moving: bool = False


class KnownEpisode(NamedTuple):
    """The last or next episode of a series as it was when the series was fetched last."""

    episode_id: int
    season_number: int
    episode_number: int
    air_date: date | None
    name: str | None
    runtime_minutes: int | None


class KnownSeries(NamedTuple):
    """What is known of a series since it was fetched last."""

    seasons: Sequence[KnownSeason]
    last_episode: KnownEpisode | None = None
    next_episode: KnownEpisode | None = None


@dataclass(frozen=True)
class KnownCatalogue:
    """What is known of series, by their TMDB ids, at a time."""

    series: Mapping[int, KnownSeries]
    as_of: datetime


NOTHING_KNOWN = KnownCatalogue({}, datetime.min.replace(tzinfo=UTC))


def known_series(series: Series, fetched_at: Mapping[int, datetime], moving: Collection[int] = ()) -> KnownSeries:
    """Return what a response makes known; `fetched_at` has the time of the episodes by the number of their season.

    `moving` has the numbers of the seasons of which an episode may still change.
    """
    seasons = [
        KnownSeason(
            s.season_id, s.season_number, s.episode_count, s.air_date, fetched_at.get(s.season_number),
            s.season_number in moving,
        )
        for s in series.seasons
    ]  # fmt: skip
    return KnownSeries(seasons, _known_episode(series.last_episode), _known_episode(series.next_episode))


def first_seasons(known: KnownSeries | None, as_of: datetime, slots: int) -> list[int]:
    """Return the numbers of the seasons for the first call, at most `slots`.

    Without anything known, they are the lowest numbers. Else they are the seasons of the next episode and of one that
    was aired recently, the season after the last one, others with such an episode (specials, mostly, which are never
    the next one), and seasons whose episodes are missing or old.
    """
    if known is None or not known.seasons:
        return list(range(slots))
    seasons = {each.season_number: each for each in known.seasons}
    episodes_around = [each for each in (known.next_episode, known.last_episode) if each is not None]
    expected = [each.season_number for each in episodes_around if _is_near(each, as_of)]
    moving = [number for number in _newest_first(seasons) if seasons[number].is_moving]
    old = [number for number in _newest_first(seasons) if _is_old(seasons[number], as_of)]
    numbers = list(dict.fromkeys([*expected, max(seasons) + 1, *moving, *old]))
    chosen: list[int] = []
    episodes = 0
    for number in numbers:
        count = (seasons[number].episode_count or 0) if number in seasons else 0
        if len(chosen) < slots and episodes + count <= MAX_EPISODES_OF_A_CALL:
            chosen.append(number)
            episodes += count
    return chosen


def further_calls(series: Series, known: KnownSeries | None, as_of: datetime) -> list[list[int]]:
    """Return the seasons that the first response lacks and that are new, changed or old, by call.

    A season is unchanged when its id, air date and number of episodes are the known ones and neither the last nor the
    next episode says anything new of it. Each call has at most 20 seasons and 500 episodes, or one longer season.
    """
    before = {each.season_number: each for each in known.seasons} if known is not None else {}
    brought = {each.season.season_number for each in series.fetched}
    news = _seasons_with_news(series, known)
    listed = {each.season_number: each for each in series.seasons}
    needed = [
        listed[number]
        for number in _newest_first(listed)
        if number not in brought and (number in news or _is_needed(listed[number], before.get(number), as_of))
    ]
    return _grouped(needed)[:MAX_FURTHER_CALLS]


def appended(parts: Iterable[str], seasons: Iterable[int]) -> str:
    """Return the value of append_to_response for sub-resources and seasons."""
    return ",".join([*parts, *(f"{SEASON_KEY}{number}" for number in seasons)])


def _newest_first(numbers: Iterable[int]) -> list[int]:
    """Return the numbers of seasons from the highest to the lowest."""
    return sorted(numbers, reverse=True)


def _is_near(episode: KnownEpisode, as_of: datetime) -> bool:
    """Return whether an episode is still to come, or was aired a short time ago; so is one without a date."""
    return episode.air_date is None or episode.air_date >= (as_of - RECENT).date()


def _is_old(season: KnownSeason, as_of: datetime) -> bool:
    """Return whether the episodes of a season are missing or were fetched too long ago."""
    return season.fetched_at is None or as_of - season.fetched_at >= MAX_SEASON_AGE


def _is_needed(season: Season, before: KnownSeason | None, as_of: datetime) -> bool:
    if before is None:
        return season.episode_count != 0
    now = (season.season_id, season.episode_count, season.air_date)
    is_changed = now != (before.season_id, before.episode_count, before.air_date)
    return is_changed or (season.episode_count != 0 and _is_old(before, as_of))


def _seasons_with_news(series: Series, known: KnownSeries | None) -> set[int]:
    """Return the seasons of which the last or the next episode is another one than before, or has changed."""
    now = {_known_episode(series.last_episode), _known_episode(series.next_episode)}
    before = {known.last_episode, known.next_episode} if known is not None else set()
    return {episode.season_number for episode in now ^ before if episode is not None}


def _known_episode(episode: Episode | None) -> KnownEpisode | None:
    return None if episode is None else KnownEpisode(*(getattr(episode, name) for name in KnownEpisode._fields))


def _grouped(seasons: Iterable[Season]) -> list[list[int]]:
    """Put seasons into groups for one call each."""
    groups: list[list[int]] = []
    episodes = 0
    for season in seasons:
        count = season.episode_count or 0
        if not groups or len(groups[-1]) == MAX_PARTS or episodes + count > MAX_EPISODES_OF_A_CALL:
            groups.append([])
            episodes = 0
        groups[-1].append(season.season_number)
        episodes += count
    return groups
