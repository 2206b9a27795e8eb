"""Reading TMDB's response for one movie.

TMDB's data has many known oddities (docs/reliability.md lists them). A field that cannot be right is read as unknown
and noted in `Movie.repairs`. A response is rejected only when it is not a movie, or not the one that was requested.
`config.filter_profiles` says which movies belong in the catalogue.
"""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from movie_assets.tmdb.json_values import REPLACED, TAKEN_OUT, JsonObject, Reader, clean
from movie_assets.tmdb.related_rows import Row, genres_of, keywords_of

PARSER_VERSION = 3  # raised when a movie would be read differently: stored responses are then read again
ANSWER_VERSION = 1  # raised when more is requested of TMDB: every movie is fetched again; due.sql has the same number

LONGEST_TITLE = 500
LONGEST_TEXT = 20_000
LONGEST_NAME = 200
LONGEST_RUNTIME = 30_000  # minutes; what a smallint column holds
LARGEST_MONEY = 10**12
LEADS = 10
LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
IMDB_ID = re.compile(r"tt\d{7,10}")


class UnusableResponseError(ValueError):
    """TMDB's response is not the movie that was requested. `reason` is a short code; the message has the details."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Movie:
    """A movie as TMDB describes it.

    Money is in US dollars, the average vote 0 to 10. Genres and keywords are sorted, other names in TMDB's order.
    `repairs` names the fields whose value could not be right.
    """

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
    directors: tuple[str, ...]
    leading_cast: tuple[str, ...]
    countries: tuple[str, ...]
    collection_id: int | None
    collection: str | None
    certification: str | None
    budget: int | None
    revenue: int | None
    poster_path: str | None
    backdrop_path: str | None
    popularity: float
    vote_average: float
    vote_count: int
    adult: bool
    video: bool
    softcore: bool
    repairs: tuple[str, ...]


def read_json(content: bytes) -> object:
    """Decode the JSON of a response, without values that Postgres could not store.

    A byte order mark is skipped; it also distinguishes UTF-16 and UTF-32. NaN and infinities become null. NUL and lone
    surrogates are replaced by characters that `Reader` notes. Raises UnusableResponseError ("not_json") when it is not
    JSON, or an object has a key twice.
    """
    try:
        text = content.decode(json.detect_encoding(content), errors="replace")  # by REPLACED
        value: object = json.loads(text, parse_constant=lambda _: None, parse_float=_finite, object_pairs_hook=_object)
        return _storable(value) if "\\u0000" in text or "\\ud" in text.lower() else value
    except (ValueError, RecursionError):
        raise UnusableResponseError("not_json", f"the body is not JSON: {content[:80]!r}") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a key comes twice in one object")
    return read


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _storable(value: object) -> object:
    if isinstance(value, str):
        return LONE_SURROGATE.sub(REPLACED, value.replace("\x00", TAKEN_OUT))
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value


def read_movie(body: object, tmdb_id: int) -> Movie:
    """Read the response of /movie/{tmdb_id} with keywords, credits and release dates appended.

    Raises UnusableResponseError when it is not an object ("not_a_film"), has another id ("other_id") or no title in
    any language ("no_title").
    """
    read = Reader(_requested(body, tmdb_id))
    title = read.text("title", LONGEST_TITLE) or read.text("original_title", LONGEST_TITLE)
    if title is None:
        raise UnusableResponseError("no_title", "the film has neither a title nor an original title")
    collection, people = read.inner("belongs_to_collection"), read.inner("credits")
    imdb_id = read.text("imdb_id", LONGEST_NAME)
    vote_count = read.integer("vote_count", 0, 10**9) or 0
    return Movie(
        tmdb_id=tmdb_id,
        imdb_id=imdb_id if imdb_id and IMDB_ID.fullmatch(imdb_id) else None,
        title=title,
        original_title=read.text("original_title", LONGEST_TITLE) or title,
        original_language=read.text("original_language", 10),
        release_date=read.day("release_date"),
        runtime_minutes=read.integer("runtime", 0, LONGEST_RUNTIME) or None,
        status=read.text("status", 40),
        tagline=read.text("tagline", LONGEST_TEXT),
        overview=read.text("overview", LONGEST_TEXT),
        genres=_sorted_names(genres_of(read.body)),
        keywords=_sorted_names(keywords_of(read.body)),
        directors=_unique(_names(p for p in people.objects("crew") if p.get("job") == "Director")),
        leading_cast=_unique(_names(sorted(people.objects("cast"), key=_billing)))[:LEADS],
        countries=_unique(code for c in read.objects("production_countries") if (code := clean(c.get("iso_3166_1")))),
        collection_id=collection.integer("id", 1, 2**53),
        collection=collection.text("name", LONGEST_TITLE),
        certification=_certification(read, "US"),
        budget=read.integer("budget", 0, LARGEST_MONEY) or None,
        revenue=read.integer("revenue", 0, LARGEST_MONEY) or None,
        poster_path=read.text("poster_path", 200),
        backdrop_path=read.text("backdrop_path", 200),
        popularity=read.number("popularity", 0, 1e9) or 0.0,
        vote_average=(read.number("vote_average", 0, 10) or 0.0) if vote_count else 0.0,
        vote_count=vote_count,
        adult=read.flag("adult"),
        video=read.flag("video"),
        softcore=read.flag("softcore"),
        repairs=tuple(read.repairs),
    )


def _requested(body: object, tmdb_id: int) -> JsonObject:
    """Return the response if it is about that id. Raises UnusableResponseError ("not_a_film", "other_id")."""
    if not isinstance(body, dict) or "id" not in body:
        raise UnusableResponseError("not_a_film", f"the response is not a film but {str(body)[:80]!r}")
    if body["id"] != tmdb_id or isinstance(body["id"], bool):
        raise UnusableResponseError("other_id", f"asked for {tmdb_id}, the response is about {body['id']!r}")
    return body


def _names(objects: Iterable[JsonObject]) -> list[str]:
    return [name[:LONGEST_NAME].rstrip() for item in objects if (name := clean(item.get("name")))]


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _sorted_names(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(sorted({str(row["name"]) for row in rows}))


def _billing(person: JsonObject) -> float:
    order = person.get("order")
    return order if isinstance(order, int | float) else math.inf


def _certification(movie: Reader, country: str) -> str | None:
    """Return the certification of a country's theatrical release (type 3), or else of another of its releases."""
    releases = [
        release
        for entry in movie.inner("release_dates").objects("results")
        if entry.get("iso_3166_1") == country
        for release in Reader(entry).objects("release_dates")
    ]
    theatrical_first = sorted(releases, key=lambda release: release.get("type") != 3)  # noqa: PLR2004  # TMDB's code
    return next((text for r in theatrical_first if (text := clean(r.get("certification")))), None)
