"""The dates on which a film of the emulator is released: by country and kind, with notes.

A date that moves or vanishes does so on a day on which the film's text changes, too, so that the feed names the film.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from movie_assets.emulator.movie import Movie

PREMIERE, THEATRICAL, DIGITAL, PHYSICAL, TV = 1, 3, 4, 5, 6
RE_RELEASE = "Re-release"
LABELS_IN_GERMANY = {"G": "0", "PG": "6", "PG-13": "12", "R": "16"}  # by that in the United States


@dataclass(frozen=True)
class Release:
    """A release in a country; `kind` is TMDB's type."""

    country: str
    kind: int
    day: date
    certification: str = ""
    note: str = ""
    language: str = ""


def releases_of(movie: Movie) -> list[Release]:
    """Return the releases of a film as they are known on its day; none without a date."""
    if not movie.release_date:
        return []
    return [release for release in _releases(movie, date.fromisoformat(movie.release_date)) if release.day.year <= 2100]  # noqa: PLR2004


def _releases(movie: Movie, first: date) -> Iterator[Release]:
    number, revision = movie.tmdb_id, movie.revision
    for country in dict.fromkeys(movie.countries):
        if country != "US":
            yield Release(country, THEATRICAL, first)
    yield Release("US", THEATRICAL, first, movie.certification)
    if number % 4 == 0:
        yield Release("US", PREMIERE, first - timedelta(days=9), note="Los Angeles, California")
    if number % 3:
        yield Release("US", DIGITAL, first + timedelta(days=45 + 7 * (revision % 3)))  # it moves at each revision
    if number % 5 == 0:
        for years in range(1, 2 + number % 2 + revision % 2):  # one more, and one fewer again
            yield Release("US", THEATRICAL, first + timedelta(days=3650 * years), movie.certification, RE_RELEASE)
    if (number + revision) % 3 == 0:
        yield Release("US", PHYSICAL, first + timedelta(days=120))
    if number % 2 == 0 and movie.certification in LABELS_IN_GERMANY and "DE" not in movie.countries:
        day = first + timedelta(days=14 + revision % 2)
        yield Release("DE", THEATRICAL, day, LABELS_IN_GERMANY[movie.certification])
