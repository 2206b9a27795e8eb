"""Reading TMDB's response for one movie.

TMDB's data has many known oddities (docs/reliability.md lists them). A field that cannot be right is read as unknown
and noted in `Movie.repairs`. A response is rejected only when it is not a movie, or not the one that was requested.
`config.filter_profiles` says which movies belong in the catalogue.
"""

from dataclasses import dataclass

from movie_assets.tmdb.json_values import Reader, UnusableResponseError, clean
from movie_assets.tmdb.titles import (
    LONGEST_RUNTIME,
    LONGEST_TITLE,
    Title,
    imdb_id_of,
    leading_cast,
    names,
    requested,
    same_fields,
    unique,
)

PARSER_VERSION = 4  # raised when a movie would be read differently: stored responses are then read again
ANSWER_VERSION = 1  # raised when more is requested of TMDB: every movie is fetched again; due.sql has the same number

LARGEST_MONEY = 10**12


@dataclass(frozen=True)
class Movie(Title):
    """A movie as TMDB describes it. Money is in US dollars."""

    directors: tuple[str, ...]
    collection_id: int | None
    collection: str | None
    budget: int | None
    revenue: int | None
    video: bool


def read_movie(body: object, tmdb_id: int) -> Movie:
    """Read the response of /movie/{tmdb_id} with keywords, credits and release dates appended.

    Raises UnusableResponseError when it is not an object ("not_a_film"), has another id ("other_id") or no title in
    any language ("no_title").
    """
    read = Reader(requested(body, tmdb_id, "film"))
    title = read.text("title", LONGEST_TITLE) or read.text("original_title", LONGEST_TITLE)
    if title is None:
        raise UnusableResponseError("no_title", "the film has neither a title nor an original title")
    collection, people = read.inner("belongs_to_collection"), read.inner("credits")
    return Movie(
        **same_fields(read),
        tmdb_id=tmdb_id,
        imdb_id=imdb_id_of(read),
        title=title,
        original_title=read.text("original_title", LONGEST_TITLE) or title,
        release_date=read.day("release_date"),
        runtime_minutes=read.integer("runtime", 0, LONGEST_RUNTIME) or None,
        directors=unique(names(p for p in people.objects("crew") if p.get("job") == "Director")),
        leading_cast=leading_cast(people.objects("cast")),
        countries=unique(code for c in read.objects("production_countries") if (code := clean(c.get("iso_3166_1")))),
        collection_id=collection.integer("id", 1, 2**53),
        collection=collection.text("name", LONGEST_TITLE),
        certification=_certification(read, "US"),
        budget=read.integer("budget", 0, LARGEST_MONEY) or None,
        revenue=read.integer("revenue", 0, LARGEST_MONEY) or None,
        video=read.flag("video"),
        repairs=tuple(read.repairs),
    )


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
