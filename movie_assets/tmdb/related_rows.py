"""The people, companies, places and offers around a film, out of TMDB's answer, as lists that SQL turns into rows.

One key a table of sql/migrations/0006_facts.sql, one object a row, its keys the columns. Entries without what
identifies them are left out; a doubled one counts once. The film's own facts are in `tmdb.movies`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from movie_assets.tmdb.json_values import Reader, clean

MAX_CAST = 30  # by billing; the rest of a crowd is in the stored answer
LONGEST = 500
LONGEST_NAME = 200  # of a genre or keyword
LONGEST_OVERVIEW = 5_000
LARGEST_ID = 2**53
# The crew that people search films by; TMDB knows some 500 jobs.
JOBS = {
    "Director", "Co-Director", "Writer", "Screenplay", "Story", "Novel", "Author", "Characters", "Producer",
    "Executive Producer", "Original Music Composer", "Director of Photography", "Editor", "Production Design",
    "Costume Design", "Casting",
}  # fmt: skip
OFFERS = ("flatrate", "free", "ads", "rent", "buy")
IDENTIFIERS = ("imdb_id", "wikidata_id", "facebook_id", "instagram_id", "twitter_id")
THEATRICAL = 3

# What TMDB's answer has at its top, with all that is appended; others are new at TMDB, and counted.
KNOWN_KEYS = {
    "adult", "alternative_titles", "backdrop_path", "belongs_to_collection", "budget", "credits", "external_ids",
    "genres", "homepage", "id", "imdb_id", "keywords", "origin_country", "original_language", "original_title",
    "overview", "popularity", "poster_path", "production_companies", "production_countries", "release_date",
    "release_dates", "revenue", "runtime", "softcore", "spoken_languages", "status", "tagline", "title",
    "translations", "video", "videos", "vote_average", "vote_count", "watch/providers",
}  # fmt: skip

UNKNOWN = ""  # in a column that is part of a row's key, where TMDB tells nothing

Row = dict[str, Any]
RelatedRows = dict[str, list[Row]]


def read_related_rows(body: dict[str, Any]) -> RelatedRows:
    """All of it, table by table; what is missing or has another shape is an empty list."""
    credits_ = _inner(body, "credits")
    return {
        "cast": _first_of(sorted(_cast(credits_), key=lambda row: row["billing"]), "person_id")[:MAX_CAST],
        "crew": _first_of(_crew(credits_), "person_id", "job"),
        "genres": genres_of(body),
        "keywords": keywords_of(body),
        "companies": _first_of(_companies(body), "id"),
        "countries": _first_of(_coded(body, "production_countries", "iso_3166_1", "name"), "code"),
        "languages": _first_of(_coded(body, "spoken_languages", "iso_639_1", "english_name"), "code"),
        "certifications": _first_of(_certifications(body), "country"),
        "external_ids": list(_external_ids(body)),
        "videos": _first_of(_videos(body), "site", "key"),
        "translations": _first_of(_translations(body), "language", "country"),
        "alternative_titles": _first_of(_alternative_titles(body), "country", "title"),
        "watch_providers": _first_of(_watch_providers(body), "country", "kind", "provider_id"),
        "collections": _first_of(_collections(body), "id"),
    }


def genres_of(body: dict[str, Any]) -> list[Row]:
    """Return the id and name of each genre, once; the film's own list and its rows are both made from this."""
    return _named(body, "genres")


def keywords_of(body: dict[str, Any]) -> list[Row]:
    """Return the id and name of each keyword, once; the film's own list and its rows are both made from this."""
    return _named(body, "keywords")


def facts_hash(facts: RelatedRows) -> str:
    """Names the facts: rows are rewritten when it changes."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _inner(body: dict[str, Any], key: str) -> Reader:
    inner = body.get(key)
    return Reader(inner if isinstance(inner, dict) else {})


def _first_of(rows: Iterable[Row], *key: str) -> list[Row]:
    """Rows with a whole key, the first of each."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        identity = tuple(row[name] for name in key)
        if None not in identity:
            found.setdefault(identity, row)
    return list(found.values())


def _text(entry: dict[str, Any], key: str, longest: int = LONGEST) -> str | None:
    return (clean(entry.get(key)) or "")[:longest].rstrip() or None


def _id(entry: dict[str, Any], key: str = "id") -> int | None:
    return Reader(entry).integer(key, 1, LARGEST_ID)


def _named(body: dict[str, Any], key: str) -> list[Row]:
    """Return the id and name of each entry, whether the list is bare, under its own name or under "results"."""
    inner = body.get(key)
    reader = Reader(inner if isinstance(inner, dict) else {key: inner})
    entries = reader.objects(key) or reader.objects("results")
    rows = ({"id": _id(entry), "name": _text(entry, "name", LONGEST_NAME)} for entry in entries)
    return _first_of((row for row in rows if row["name"] is not None), "id")


def _person(entry: dict[str, Any]) -> Row:
    return {
        "person_id": _id(entry) if _text(entry, "name") else None,
        "name": _text(entry, "name"),
        "gender": Reader(entry).integer("gender", 1, 3),  # 1 female, 2 male, 3 non-binary; TMDB's 0 is unknown
        "profile_path": _text(entry, "profile_path"),
    }


def _cast(people: Reader) -> Iterator[Row]:
    for place, entry in enumerate(people.objects("cast")):
        billing = Reader(entry).integer("order", 0, 10_000)
        yield _person(entry) | {
            "billing": place if billing is None else billing,
            "character": _text(entry, "character"),
        }


def _crew(people: Reader) -> Iterator[Row]:
    for entry in people.objects("crew"):
        job = _text(entry, "job")
        if job in JOBS:
            yield _person(entry) | {"job": job, "department": _text(entry, "department")}


def _companies(body: dict[str, Any]) -> Iterator[Row]:
    for entry in Reader(body).objects("production_companies"):
        if name := _text(entry, "name"):
            yield {
                "id": _id(entry),
                "name": name,
                "country": _text(entry, "origin_country", 2),
                "logo_path": _text(entry, "logo_path"),
            }


def _coded(body: dict[str, Any], key: str, code: str, name: str) -> Iterator[Row]:
    for entry in Reader(body).objects(key):
        yield {"code": _text(entry, code, 10), "name": _text(entry, name) or _text(entry, "name")}


def _certifications(body: dict[str, Any]) -> Iterator[Row]:
    for entry in _inner(body, "release_dates").objects("results"):
        releases = [
            {
                "country": _text(entry, "iso_3166_1", 2),
                "certification": certification,
                "kind": Reader(release).integer("type", 1, 6),
                "released": day.isoformat() if (day := Reader(release).day("release_date")) else None,
            }
            for release in Reader(entry).objects("release_dates")
            if (certification := _text(release, "certification", 50))
        ]
        yield from sorted(releases, key=lambda row: row["kind"] != THEATRICAL)[:1]


def _external_ids(body: dict[str, Any]) -> Iterator[Row]:
    found = _inner(body, "external_ids")
    for name in IDENTIFIERS:
        if value := _text(found.body, name, 100):
            yield {"source": name.removesuffix("_id"), "value": value}


def _country(entry: dict[str, Any]) -> str:
    """Return the country of a title or translation; one without a country is as good as any other."""
    return _text(entry, "iso_3166_1", 2) or UNKNOWN


def _videos(body: dict[str, Any]) -> Iterator[Row]:
    for entry in _inner(body, "videos").objects("results"):
        yield {
            "site": _text(entry, "site", 50) or UNKNOWN,
            "key": _text(entry, "key", 100),
            "name": _text(entry, "name"),
            "kind": _text(entry, "type", 50),
            "language": _text(entry, "iso_639_1", 10),
            "is_official": Reader(entry).flag("official"),
            "published": day.isoformat() if (day := Reader(entry).day("published_at")) else None,
        }


def _translations(body: dict[str, Any]) -> Iterator[Row]:
    for entry in _inner(body, "translations").objects("translations"):
        said = _inner(entry, "data").body
        row = {
            "title": _text(said, "title"),
            "overview": _text(said, "overview", LONGEST_OVERVIEW),
            "tagline": _text(said, "tagline"),
        }
        if any(row.values()):  # TMDB lists languages that nobody has written a word in
            yield row | {"language": _text(entry, "iso_639_1", 10), "country": _country(entry)}


def _alternative_titles(body: dict[str, Any]) -> Iterator[Row]:
    for entry in _inner(body, "alternative_titles").objects("titles"):
        yield {
            "country": _country(entry),
            "title": _text(entry, "title"),
            "kind": _text(entry, "type", 100),
        }


def _watch_providers(body: dict[str, Any]) -> Iterator[Row]:
    regions = _inner(_inner(body, "watch/providers").body, "results").body
    for country, offers in sorted(regions.items()):
        if not isinstance(offers, dict):
            continue
        for kind in OFFERS:
            for entry in Reader(offers).objects(kind):
                yield {
                    "country": country[:2],
                    "kind": kind,
                    "provider_id": _id(entry, "provider_id") if _text(entry, "provider_name") else None,
                    "name": _text(entry, "provider_name"),
                    "link": _text(offers, "link"),
                }


def _collections(body: dict[str, Any]) -> Iterator[Row]:
    entry = _inner(body, "belongs_to_collection").body
    if name := _text(entry, "name"):
        yield {"id": _id(entry), "name": name, "poster_path": _text(entry, "poster_path")}
