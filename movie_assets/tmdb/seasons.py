"""Seasons and episodes in TMDB's responses: the list of seasons of a series, a season with its episodes.

An episode is known by its id, as TMDB renumbers episodes and seasons. Season 0 ("Specials") is a season like others and
counts in no total. A value that cannot be right is read as unknown; an entry without an id or a number is left out, and
so is a season of another shape. Both are noted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from statistics import median_low

from movie_assets.tmdb.json_values import JsonObject, Reader, UnusableResponseError
from movie_assets.tmdb.related_rows import LARGEST_ID
from movie_assets.tmdb.titles import LONGEST_RUNTIME, LONGEST_TEXT, LONGEST_TITLE, votes_of

SPECIALS = 0  # the number of the season that counts in no total
LARGEST_NUMBER = 10**6  # some seasons are numbered by their year
SEASON_KEY = "season/"  # and the number: the key of an appended season in the response for a series
APPENDED_SEASON = re.compile(rf"{SEASON_KEY}(0|[1-9][0-9]{{0,6}})")
GUESTS = ("guest_stars", "crew")  # of an episode: most of its bytes, and not stored


@dataclass(frozen=True)
class Season:
    """A season as it is listed in the response for its series; the average vote is 0 to 10."""

    season_id: int
    season_number: int
    name: str | None
    overview: str | None
    air_date: date | None
    episode_count: int | None
    poster_path: str | None
    vote_average: float | None


@dataclass(frozen=True)
class Episode:
    """An episode; the average vote is 0 to 10, `episode_type` is standard, finale or mid_season at present."""

    episode_id: int
    season_number: int
    episode_number: int
    name: str | None
    overview: str | None
    air_date: date | None
    runtime_minutes: int | None
    episode_type: str | None
    still_path: str | None
    production_code: str | None
    vote_average: float
    vote_count: int


@dataclass(frozen=True)
class FetchedSeason:
    """A season with its episodes, in TMDB's order."""

    season: Season
    episodes: tuple[Episode, ...]


@dataclass
class Notes:
    """What could not be read: fields that were read as unknown, and entries that were left out, with the reason."""

    repairs: list[str] = field(default_factory=list)
    rejects: list[str] = field(default_factory=list)

    def repair(self, place: str, fields: Iterable[str]) -> None:
        """Note fields of an entry; the same field of several entries of a list is noted once."""
        self.repairs += [name for key in fields if (name := f"{place}.{key}") not in self.repairs]


def read_season(body: object, number: int, notes: Notes) -> FetchedSeason:
    """Read the response of /tv/{id}/season/{number}, or such a season in the response for its series.

    Raises UnusableResponseError when it is not a season ("not_a_season"; TMDB's 404 is none), has another number
    ("other_season"), no id ("bad_id") or no list of episodes ("bad_episodes").
    """
    if not isinstance(body, dict) or body.get("season_number") is None or body.get("success") is False:
        raise UnusableResponseError("not_a_season", f"the response is not a season but {str(body)[:80]!r}")
    if Reader(body).integer("season_number", SPECIALS, LARGEST_NUMBER) != number:
        raise UnusableResponseError("other_season", f"asked for {number}, it is season {body['season_number']!r}")
    place = f"{SEASON_KEY}{number}"
    season = _season(body, place, notes)
    if season is None:
        raise UnusableResponseError("bad_id", f"season {number} has the id {body.get('id')!r}")
    if not isinstance(body.get("episodes"), list):
        raise UnusableResponseError("bad_episodes", f"the episodes of season {number} are not a list")
    episodes: dict[int, Episode] = {}
    for index, entry in enumerate(body["episodes"]):
        episode = _episode(entry, number, f"{place}.episodes", notes)
        if episode is None or episode.episode_id in episodes:
            reason = "no id or number" if episode is None else "an id that comes twice"
            notes.rejects.append(f"{place}.episodes[{index}]: {reason}")
        else:
            episodes[episode.episode_id] = episode
    return FetchedSeason(season, tuple(episodes.values()))


def listed_seasons(series: JsonObject, notes: Notes) -> tuple[Season, ...] | None:
    """Read the list of seasons in the response for a series, sorted by number; None when it is missing.

    Raises UnusableResponseError ("bad_seasons") when it has another shape: a series without seasons would lose those
    that are stored.
    """
    entries = series.get("seasons")
    if entries is None:
        notes.rejects.append("seasons: missing")
        return None
    if not isinstance(entries, list):
        raise UnusableResponseError("bad_seasons", f"the field seasons is not a list but {str(entries)[:80]!r}")
    seasons: dict[int, Season] = {}
    ids: set[int] = set()
    for index, entry in enumerate(entries):
        season = _season(entry, "seasons", notes)
        if season is None or season.season_number in seasons or season.season_id in ids:
            reason = "no id or number" if season is None else "an id or a number that comes twice"
            notes.rejects.append(f"seasons[{index}]: {reason}")
        else:
            seasons[season.season_number] = season
            ids.add(season.season_id)
    return tuple(seasons[number] for number in sorted(seasons))


def fetched_seasons(series: JsonObject, listed: Iterable[Season] | None, notes: Notes) -> tuple[FetchedSeason, ...]:
    """Read the seasons that the response for a series has with their episodes, sorted by number.

    A season that the series does not list, or of another shape, is left out; the latter is noted. An episode of several
    seasons is left to the one with the highest number.
    """
    read: list[FetchedSeason] = []
    numbers = set(appended_seasons(series))
    if listed is not None:
        numbers &= {season.season_number for season in listed}
    for number in sorted(numbers, reverse=True):
        try:
            read.append(read_season(series[f"{SEASON_KEY}{number}"], number, notes))
        except UnusableResponseError as error:
            notes.rejects.append(f"{SEASON_KEY}{number}: {error.reason}")
    known: set[int] = set()
    unique: list[FetchedSeason] = []
    for each in read:
        episodes = tuple(episode for episode in each.episodes if episode.episode_id not in known)
        if len(episodes) < len(each.episodes):
            notes.rejects.append(f"{SEASON_KEY}{each.season.season_number}: episodes that a later season has too")
        known |= {episode.episode_id for episode in episodes}
        unique.append(FetchedSeason(each.season, episodes))
    return tuple(reversed(unique))


def appended_seasons(series: JsonObject) -> list[int]:
    """Return the numbers of the seasons that were appended to the response for a series, of whatever shape they are."""
    return [int(match[1]) for key in series if (match := APPENDED_SEASON.fullmatch(key))]


def without_guests(series: JsonObject) -> JsonObject:
    """Return the response for a series without the guests and the crew of single episodes."""
    return {key: _slim(value) if key.startswith(SEASON_KEY) else value for key, value in series.items()}


def with_stored_seasons(body: JsonObject, stored: JsonObject) -> JsonObject:
    """Return the response for a series with the seasons of a stored response that it lists and did not bring again."""
    listed = {season.season_number for season in listed_seasons(body, Notes()) or ()}
    older = {f"{SEASON_KEY}{number}" for number in appended_seasons(stored) if number in listed} - body.keys()
    return {**body, **{key: stored[key] for key in sorted(older)}}


def median_runtime(episodes: Iterable[Episode]) -> int | None:
    """Return the median runtime in minutes of the episodes outside season 0; None when none is known."""
    known = [e.runtime_minutes for e in episodes if e.season_number != SPECIALS and e.runtime_minutes is not None]
    return median_low(known) if known else None


def read_episode(series: Reader, key: str, notes: Notes) -> Episode | None:
    """Read the last or the next episode of a series; None when there is none."""
    body = series.body.get(key)
    if body is None:
        return None
    number = series.inner(key).integer("season_number", SPECIALS, LARGEST_NUMBER)
    episode = None if number is None else _episode(body, number, key, notes)
    if episode is None:
        notes.rejects.append(f"{key}: no id or number")
    return episode


def _season(body: object, place: str, notes: Notes) -> Season | None:
    """Read a season; None without an id or a number."""
    if not isinstance(body, dict):
        return None
    read = Reader(body)
    season_id = read.integer("id", 1, LARGEST_ID)
    number = read.integer("season_number", SPECIALS, LARGEST_NUMBER)
    if season_id is None or number is None:
        return None
    season = Season(
        season_id=season_id,
        season_number=number,
        name=read.text("name", LONGEST_TITLE),
        overview=read.text("overview", LONGEST_TEXT),
        air_date=read.day("air_date"),
        episode_count=read.integer("episode_count", 0, LARGEST_NUMBER),
        poster_path=read.text("poster_path", 200),
        vote_average=read.number("vote_average", 0, 10) or None,
    )
    notes.repair(place, read.repairs)
    return season


def _episode(body: object, season_number: int, place: str, notes: Notes) -> Episode | None:
    """Read an episode of the season with this number; None without an id or a number of its own."""
    if not isinstance(body, dict):
        return None
    read = Reader(body)
    episode_id = read.integer("id", 1, LARGEST_ID)
    number = read.integer("episode_number", 0, LARGEST_NUMBER)
    if episode_id is None or number is None:
        return None
    vote_average, vote_count = votes_of(read)
    episode = Episode(
        episode_id=episode_id,
        season_number=season_number,
        episode_number=number,
        name=read.text("name", LONGEST_TITLE),
        overview=read.text("overview", LONGEST_TEXT),
        air_date=read.day("air_date"),
        runtime_minutes=read.integer("runtime", 0, LONGEST_RUNTIME) or None,
        episode_type=read.text("episode_type", 40),
        still_path=read.text("still_path", 200),
        production_code=read.text("production_code", 100),
        vote_average=vote_average,
        vote_count=vote_count,
    )
    notes.repair(place, read.repairs)
    return episode


def _slim(body: object) -> object:
    """Return a season without the guests and the crew of its episodes; another value as it is."""
    if not isinstance(body, dict) or not isinstance(body.get("episodes"), list):
        return body
    episodes = [
        {key: value for key, value in entry.items() if key not in GUESTS} if isinstance(entry, dict) else entry
        for entry in body["episodes"]
    ]
    return {**body, "episodes": episodes}
