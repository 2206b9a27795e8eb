"""One series on one day, with its seasons and episodes. `series_details` writes it as TMDB's JSON.

These are what TMDB knows on that day: the truth that a catalogue can be compared with.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from movie_assets.emulator.movie import Job, Person, Role
from movie_assets.emulator.people import Cast


@dataclass(frozen=True)
class Network:
    """A broadcaster or streaming service."""

    network_id: int
    name: str
    country: str


@dataclass(frozen=True)
class Episode:
    """An episode; runtime in minutes, None when unknown. `name` is “Episode N” where it has none of its own."""

    episode_id: int
    season_number: int
    number: int
    name: str
    overview: str
    air_date: date | None
    runtime: int | None
    episode_type: str
    vote_average: float
    vote_count: int
    crew: tuple[Job, ...]
    guests: tuple[Role, ...]


@dataclass(frozen=True)
class Season:
    """A season; number 0 is that of the specials.

    Its `episodes` are made when they are asked for. They take no part in comparisons of seasons. A settled season is
    edited no more.
    """

    season_id: int
    number: int
    name: str
    overview: str
    air_date: date | None
    episode_count: int
    vote_average: float
    is_settled: bool = field(compare=False)
    made: Callable[[], tuple[Episode, ...]] = field(repr=False, compare=False)

    @cached_property
    def episodes(self) -> tuple[Episode, ...]:
        """The episodes that are listed, in the order of their numbers."""
        return self.made()


@dataclass(frozen=True)
class Regular:
    """A member of the main cast, with the first and the last season of the role (counted from 1; 0 is no end)."""

    role: Role
    first: int
    last: int

    def plays_in(self, season: int) -> bool:
        """Return whether the role is part of a season."""
        return self.first <= season and (self.last == 0 or season <= self.last)


@dataclass(frozen=True)
class Ensemble:
    """The people of a series, drawn from the people of the made-up world."""

    pool: Cast
    theme: int
    language: int
    story: int

    def regulars(self) -> tuple[Regular, ...]:
        """Return the main cast; a third of it comes later or leaves before the end."""
        roles = self.pool.cast(self.theme, self.language, self.story)
        return tuple(
            Regular(role, 1 if turn % 6 != 4 else 2, turn // 2 if turn % 6 == 5 else 0)  # noqa: PLR2004
            for turn, role in enumerate(roles)
        )

    def guests(self, season_id: int) -> tuple[Role, ...]:
        """Return the guests of a season, none of whom is a regular."""
        known = {regular.role.person.person_id for regular in self.regulars()}
        roles = self.pool.cast(self.theme, self.language, self.story ^ season_id << 8)
        return tuple(role for role in roles if role.person.person_id not in known)[:5]

    def crew(self) -> tuple[Job, ...]:
        """Return those who work behind the camera in every season."""
        return self.pool.crew(self.theme, self.language, self.story)

    def creators(self) -> tuple[Person, ...]:
        """Return the creators: the writer and sometimes the director; one series in six names none."""
        if self.story % 6 == 0:
            return ()
        jobs = {job.job: job.person for job in self.crew()}
        return (jobs["Screenplay"], jobs["Director"]) if self.story % 6 == 1 else (jobs["Screenplay"],)


@dataclass(frozen=True)
class Series:
    """What is known about a series on one day; `seasons` ascend by number, so that specials come first."""

    tmdb_id: int
    imdb_id: str | None
    tvdb_id: int | None
    name: str
    original_name: str
    other_names: tuple[str, ...]
    language: str
    countries: tuple[str, ...]
    first_air_date: date | None
    genres: tuple[str, ...]
    overview: str
    tagline: str
    keywords: tuple[str, ...]
    networks: tuple[Network, ...]
    companies: tuple[str, ...]
    status: str
    type: str
    minutes: int
    rating: str
    popularity: float
    vote_average: float
    vote_count: int
    adult: bool
    softcore: bool
    seasons: tuple[Season, ...]
    last_episode: Episode | None
    next_episode: Episode | None
    people: Ensemble

    @property
    def in_production(self) -> bool:
        """Whether more of the series may come."""
        return self.status not in {"Ended", "Canceled"}

    @property
    def numbered(self) -> tuple[Season, ...]:
        """The seasons without the specials."""
        return tuple(season for season in self.seasons if season.number)

    @property
    def episode_count(self) -> int:
        """The number of episodes, aired or not; specials are not counted."""
        return sum(season.episode_count for season in self.numbered)

    def season(self, number: int) -> Season | None:
        """Return the season with a number."""
        return next((season for season in self.seasons if season.number == number), None)

    def episode(self, season_number: int, number: int) -> Episode | None:
        """Return the episode with these numbers."""
        season = self.season(season_number)
        return next((episode for episode in season.episodes if episode.number == number), None) if season else None
