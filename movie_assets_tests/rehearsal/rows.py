"""What the tables of `catalog` must hold of a movie, worked out from TMDB's response without the pipeline's parser.

The emulator's responses are well formed, so each table is one plain expression. A table is a dictionary from the key of
a row to its other columns.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from movie_assets.emulator.movie import Movie
from movie_assets_tests.rehearsal.world import response

PARTS = ("credits", "keywords", "release_dates", "external_ids", "videos", "translations", "alternative_titles")
JOBS = {
    "Author", "Casting", "Characters", "Co-Director", "Costume Design", "Director", "Director of Photography", "Editor",
    "Executive Producer", "Novel", "Original Music Composer", "Producer", "Production Design", "Screenplay", "Story",
    "Writer",
}  # fmt: skip
THEATRICAL = 3
Key = tuple[Any, ...]
Values = tuple[Any, ...]
Body = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A table of `catalog`: the columns of its key, and the other columns that are compared.

    Rows of a shared table describe something that many movies have, such as a person. They may outlive the movies.
    """

    name: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    is_shared: bool = False


MOVIES = Table(
    "movies",
    ("tmdb_id",),
    (
        "imdb_id", "title", "original_title", "original_language", "release_date", "release_year", "runtime_minutes",
        "status", "tagline", "overview", "genres", "keywords", "directors", "leading_cast", "countries",
        "collection_id", "collection", "certification", "budget", "revenue", "poster_path", "backdrop_path",
        "embedding_text", "text_hash",
    ),
)  # fmt: skip
TABLES = (
    MOVIES,
    Table("movie_cast", ("tmdb_id", "person_id"), ("billing", "character")),
    Table("movie_crew", ("tmdb_id", "person_id", "job"), ("department",)),
    Table("movie_genres", ("tmdb_id", "genre_id"), ()),
    Table("movie_keywords", ("tmdb_id", "keyword_id"), ()),
    Table("movie_companies", ("tmdb_id", "company_id"), ()),
    Table("movie_collections", ("tmdb_id",), ("collection_id",)),
    Table("movie_countries", ("tmdb_id", "country"), ("name",)),
    Table("movie_languages", ("tmdb_id", "language"), ("name",)),
    Table("movie_certifications", ("tmdb_id", "country"), ("certification", "release_type", "released")),
    Table(
        "release_dates", ("title_id", "country", "release_type", "release_date", "note", "language"), ("certification",)
    ),
    Table("movie_external_ids", ("tmdb_id", "source"), ("value",)),
    Table("movie_videos", ("tmdb_id", "site", "key"), ("name", "kind", "language", "is_official", "published")),
    Table("movie_translations", ("tmdb_id", "language", "country"), ("title", "overview", "tagline")),
    Table("movie_alternative_titles", ("tmdb_id", "country", "title"), ("kind",)),
    Table("movie_watch_providers", ("tmdb_id", "country", "kind", "provider_id"), ("link",)),
    Table("people", ("person_id",), ("name", "gender", "profile_path"), is_shared=True),
    Table("genres", ("genre_id",), ("name",), is_shared=True),
    Table("keywords", ("keyword_id",), ("name",), is_shared=True),
    Table("companies", ("company_id",), ("name", "country", "logo_path"), is_shared=True),
    Table("collections", ("collection_id",), ("name", "poster_path"), is_shared=True),
    Table("watch_providers", ("provider_id",), ("name",), is_shared=True),
)


def rows_of(movie: Movie, day: date, offers: Body) -> Iterator[tuple[str, Key, Values]]:
    """All rows about an accepted movie: table, key, values. `offers` is the part `watch/providers` of its details."""
    body = response(movie, PARTS, day) | {"watch/providers": offers}
    tmdb_id = body["id"]
    yield "movies", (tmdb_id,), _movie(body)
    for table, key, values in (*_people(body), *_names(body), *_places(body), *_texts(body)):
        is_shared = next(each.is_shared for each in TABLES if each.name == table)
        yield table, key if is_shared else (tmdb_id, *key), values


def text_of(body: Body) -> str:
    """The text that is embedded: title and year, plot, genres, keywords, directors and leads, what is there of them."""
    title = body["title"] + (f" ({body['release_date'][:4]})." if body["release_date"] else ".")
    genres, keywords = _sorted_names(body["genres"]), _sorted_names(body["keywords"]["keywords"])[:20]
    parts = [title, body["overview"]]
    for label, names in (
        ("Genres: ", genres), ("Keywords: ", keywords), ("Directed by ", _directors(body)[:2]),
        ("Starring ", _leads(body)[:3]),
    ):  # fmt: skip
        if names:
            parts.append(label + ", ".join(names) + ".")
    return " ".join(" ".join(parts).split())


def titles_of(movie: Movie) -> set[str]:
    """All titles by which a movie can be found."""
    body = response(movie, PARTS, date.min)  # titles are those of the movie, whatever the day
    return {
        body["title"], body["original_title"], *(entry["title"] for entry in body["alternative_titles"]["titles"]),
        *(entry["data"]["title"] for entry in body["translations"]["translations"] if entry["data"]["title"]),
    }  # fmt: skip


def _movie(body: Body) -> Values:
    text, collection = text_of(body), body["belongs_to_collection"] or {}
    released = date.fromisoformat(body["release_date"]) if body["release_date"] else None
    in_the_us = [
        release["certification"]
        for entry in body["release_dates"]["results"]
        for release in entry["release_dates"]
        if entry["iso_3166_1"] == "US" and release["certification"]
    ]
    return (
        body["imdb_id"], body["title"], body["original_title"], body["original_language"], released,
        released.year if released else None, body["runtime"] or None, body["status"], body["tagline"] or None,
        body["overview"] or None, _sorted_names(body["genres"]), _sorted_names(body["keywords"]["keywords"]),
        _directors(body), _leads(body)[:10], [country["iso_3166_1"] for country in body["production_countries"]],
        collection.get("id"), collection.get("name"), next(iter(in_the_us), None), body["budget"] or None,
        body["revenue"] or None, body["poster_path"], body["backdrop_path"], text,
        hashlib.sha256(f"film-v1\n{text}".encode()).hexdigest(),
    )  # fmt: skip


def _people(body: Body) -> Iterator[tuple[str, Key, Values]]:
    cast, crew = body["credits"]["cast"], [entry for entry in body["credits"]["crew"] if entry["job"] in JOBS]
    for entry in reversed(cast):  # the first role of a person counts: a later row replaces an earlier one
        yield "movie_cast", (entry["id"],), (entry["order"], entry["character"] or None)
    for entry in crew:
        yield "movie_crew", (entry["id"], entry["job"]), (entry["department"],)
    for entry in (*cast, *crew):
        yield "people", (entry["id"],), (entry["name"], entry["gender"] or None, entry["profile_path"])


def _names(body: Body) -> Iterator[tuple[str, Key, Values]]:
    for entry in body["genres"]:
        yield "movie_genres", (entry["id"],), ()
        yield "genres", (entry["id"],), (entry["name"],)
    for entry in body["keywords"]["keywords"]:
        yield "movie_keywords", (entry["id"],), ()
        yield "keywords", (entry["id"],), (entry["name"],)
    for entry in body["production_companies"]:
        yield "movie_companies", (entry["id"],), ()
        yield "companies", (entry["id"],), (entry["name"], entry["origin_country"] or None, entry["logo_path"])
    if entry := body["belongs_to_collection"]:
        yield "movie_collections", (), (entry["id"],)
        yield "collections", (entry["id"],), (entry["name"], entry["poster_path"])


def _places(body: Body) -> Iterator[tuple[str, Key, Values]]:
    for entry in body["production_countries"]:
        yield "movie_countries", (entry["iso_3166_1"],), (entry["name"],)
    for entry in body["spoken_languages"]:
        yield "movie_languages", (entry["iso_639_1"],), (entry["english_name"],)
    for entry in body["release_dates"]["results"]:
        country = entry["iso_3166_1"]
        for release in entry["release_dates"]:
            released = date.fromisoformat(release["release_date"][:10])
            key = (country, release["type"], released, release["note"], release["iso_639_1"])
            yield "release_dates", key, (release["certification"] or None,)
        certified = [release for release in entry["release_dates"] if release["certification"]]
        for release in sorted(certified, key=lambda each: each["type"] != THEATRICAL)[:1]:
            released = date.fromisoformat(release["release_date"][:10])
            yield "movie_certifications", (country,), (release["certification"], release["type"], released)
    for country, offers in body["watch/providers"]["results"].items():
        for entry in offers["flatrate"]:
            provider = entry["provider_id"]
            yield "movie_watch_providers", (country, "flatrate", provider), (offers["link"],)
            yield "watch_providers", (provider,), (entry["provider_name"],)


def _texts(body: Body) -> Iterator[tuple[str, Key, Values]]:
    for source in ("imdb", "wikidata", "facebook", "instagram", "twitter"):
        if value := body["external_ids"][f"{source}_id"]:
            yield "movie_external_ids", (source,), (value,)
    for entry in body["videos"]["results"]:
        published = date.fromisoformat(entry["published_at"][:10])
        yield (
            "movie_videos", (entry["site"], entry["key"]),
            (entry["name"], entry["type"], entry["iso_639_1"], entry["official"], published),
        )  # fmt: skip
    for entry in reversed(body["translations"]["translations"]):
        texts = tuple(entry["data"][name] or None for name in ("title", "overview", "tagline"))
        if any(texts):
            yield "movie_translations", (entry["iso_639_1"], entry["iso_3166_1"]), texts
    for entry in body["alternative_titles"]["titles"]:
        yield "movie_alternative_titles", (entry["iso_3166_1"], entry["title"]), (entry["type"] or None,)


def _sorted_names(entries: list[Body]) -> list[str]:
    return sorted({entry["name"] for entry in entries})


def _directors(body: Body) -> list[str]:
    return list(dict.fromkeys(entry["name"] for entry in body["credits"]["crew"] if entry["job"] == "Director"))


def _leads(body: Body) -> list[str]:
    return list(dict.fromkeys(entry["name"] for entry in sorted(body["credits"]["cast"], key=lambda e: e["order"])))
