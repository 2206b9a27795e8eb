"""One film on one day, whichever world it comes from. `details` writes it as TMDB's JSON."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """A member of the cast or crew of films."""

    person_id: int
    name: str
    gender: int


@dataclass(frozen=True)
class Role:
    """A person's part in front of the camera."""

    person: Person
    character: str


@dataclass(frozen=True)
class Job:
    """A person's part behind the camera."""

    person: Person
    department: str
    job: str


@dataclass(frozen=True)
class Collection:
    """The series a film belongs to."""

    collection_id: int
    name: str


@dataclass(frozen=True)
class Movie:
    """What is known about a film on one day; runtime in minutes, money in dollars.

    `revision` says how often it was edited by that day.
    """

    tmdb_id: int
    imdb_id: str | None
    title: str
    original_title: str
    language: str
    release_date: str
    runtime: int
    genres: tuple[str, ...]
    overview: str
    tagline: str
    keywords: tuple[str, ...]
    cast: tuple[Role, ...]
    crew: tuple[Job, ...]
    collection: Collection | None
    countries: tuple[str, ...]
    companies: tuple[str, ...]
    certification: str
    popularity: float
    vote_average: float
    vote_count: int
    budget: int
    revenue: int
    status: str
    adult: bool = False
    video: bool = False
    softcore: bool = False
    revision: int = 0
