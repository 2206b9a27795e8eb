"""The fields that a movie and a series have in common, and the helpers that read them from either response.

`tmdb.movies` and `tmdb.series` read one kind of response each.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, TypedDict

from movie_assets.tmdb.json_values import JsonObject, Reader, UnusableResponseError, clean
from movie_assets.tmdb.related_rows import Row, genres_of, keywords_of

IDS_OF_A_TYPE = 10**9  # a multiple of 64, so that a title's batch follows from its TMDB id
LONGEST_TITLE = 500
LONGEST_TEXT = 20_000
LONGEST_NAME = 200
LONGEST_PATH = 200  # of an image
LONGEST_RUNTIME = 30_000  # minutes; what a smallint column holds
MAX_VOTES = 10**9
LEADS = 10
IMDB_ID = re.compile(r"tt\d{7,10}")


@dataclass(frozen=True)
class Title:
    """What TMDB says of every title, of whatever media type.

    The average vote is 0 to 10. Genres and keywords are sorted, other names in TMDB's order. `repairs` names the fields
    whose value could not be right.
    """

    first_title_id: ClassVar[int] = 0  # of the media type

    tmdb_id: int
    imdb_id: str | None
    title: str
    original_title: str
    original_language: str | None
    release_date: date | None
    runtime_minutes: int | None
    status: str | None
    tagline: str | None
    overview: str | None
    genres: tuple[str, ...]
    keywords: tuple[str, ...]
    leading_cast: tuple[str, ...]
    countries: tuple[str, ...]
    certification: str | None
    poster_path: str | None
    backdrop_path: str | None
    popularity: float
    vote_average: float
    vote_count: int
    adult: bool
    softcore: bool
    repairs: tuple[str, ...]

    @property
    def title_id(self) -> int:
        """Return the title's key in the database (sql/migrations/0060b_media_types.sql)."""
        return self.first_title_id + self.tmdb_id


class SameFields(TypedDict):
    """The fields of a title that stand under the same keys in every response."""

    original_language: str | None
    status: str | None
    tagline: str | None
    overview: str | None
    genres: tuple[str, ...]
    keywords: tuple[str, ...]
    poster_path: str | None
    backdrop_path: str | None
    popularity: float
    vote_average: float
    vote_count: int
    adult: bool
    softcore: bool


def same_fields(read: Reader) -> SameFields:
    """Read the fields that stand under the same keys in every response."""
    vote_average, vote_count = votes_of(read)
    return {
        "original_language": read.text("original_language", 10),
        "status": read.text("status", 40),
        "tagline": read.text("tagline", LONGEST_TEXT),
        "overview": read.text("overview", LONGEST_TEXT),
        "genres": _sorted_names(genres_of(read.body)),
        "keywords": _sorted_names(keywords_of(read.body)),
        "poster_path": read.text("poster_path", LONGEST_PATH),
        "backdrop_path": read.text("backdrop_path", LONGEST_PATH),
        "popularity": read.number("popularity", 0, 1e9) or 0.0,
        "vote_average": vote_average,
        "vote_count": vote_count,
        "adult": read.flag("adult"),
        "softcore": read.flag("softcore"),
    }


def requested(body: object, tmdb_id: int, noun: str) -> JsonObject:
    """Return the response if it is about that id. Raises UnusableResponseError ("not_a_{noun}", "other_id")."""
    if not isinstance(body, dict) or "id" not in body:
        raise UnusableResponseError(f"not_a_{noun}", f"the response is not a {noun} but {str(body)[:80]!r}")
    if body["id"] != tmdb_id or isinstance(body["id"], bool):
        raise UnusableResponseError("other_id", f"asked for {tmdb_id}, the response is about {body['id']!r}")
    return body


def imdb_id_of(read: Reader) -> str | None:
    """Read `imdb_id`; None for anything but an IMDb id of a title."""
    imdb_id = read.text("imdb_id", LONGEST_NAME)
    return imdb_id if imdb_id and IMDB_ID.fullmatch(imdb_id) else None


def votes_of(read: Reader) -> tuple[float, int]:
    """Read the average vote and the number of votes; an average without votes is 0."""
    count = read.integer("vote_count", 0, MAX_VOTES) or 0
    return (read.number("vote_average", 0, 10) or 0.0) if count else 0.0, count


def leading_cast(cast: Sequence[JsonObject]) -> tuple[str, ...]:
    """Return the names of the people billed first."""
    return unique(names(sorted(cast, key=_billing)))[:LEADS]


def names(objects: Iterable[JsonObject]) -> list[str]:
    """Return the names of objects; those without a name are left out."""
    return [name[:LONGEST_NAME].rstrip() for item in objects if (name := clean(item.get("name")))]


def unique(values: Iterable[str]) -> tuple[str, ...]:
    """Return each text once, in the order of its first place."""
    return tuple(dict.fromkeys(values))


def _sorted_names(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(sorted({str(row["name"]) for row in rows}))


def _billing(person: JsonObject) -> float:
    order = person.get("order")
    return order if isinstance(order, int | float) else math.inf
