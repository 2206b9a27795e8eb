"""The people, companies, places and offers around a movie, read from TMDB's response as rows for SQL.

Each key is a table of sql/migrations/0006_facts.sql, each object a row with the columns as its keys. Entries without
an identifier are left out; of duplicates, the first is used. `tmdb.movies` reads the movie's own fields.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import islice

from movie_assets.tmdb.json_values import JsonObject, Reader, clean

MAX_CAST = 30  # by billing; the stored response has the others
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

# Keys at the top of TMDB's response, with everything appended. Others are new at TMDB, and are counted.
KNOWN_KEYS = {
    "adult", "alternative_titles", "backdrop_path", "belongs_to_collection", "budget", "credits", "external_ids",
    "genres", "homepage", "id", "imdb_id", "keywords", "origin_country", "original_language", "original_title",
    "overview", "popularity", "poster_path", "production_companies", "production_countries", "release_date",
    "release_dates", "revenue", "runtime", "softcore", "spoken_languages", "status", "tagline", "title",
    "translations", "video", "videos", "vote_average", "vote_count", "watch/providers",
}  # fmt: skip

UNKNOWN = ""  # in a column that is part of a row's key, where TMDB has no value

Row = dict[str, str | int | bool | None]
RelatedRows = dict[str, list[Row]]


def read_related_rows(body: JsonObject) -> RelatedRows:
    """Read the rows of every table from a response.

    A part that is missing or has another shape gives an empty list.
    """
    movie = Reader(body)
    return {
        "cast": list(islice(_first_ones(_cast(movie), "person_id"), MAX_CAST)),
        "crew": _first_of(_crew(movie), "person_id", "job"),
        "genres": genres_of(body),
        "keywords": keywords_of(body),
        "companies": _first_of(_companies(movie), "id"),
        "countries": _first_of(_coded(movie, "production_countries", "iso_3166_1", "name"), "code"),
        "languages": _first_of(_coded(movie, "spoken_languages", "iso_639_1", "english_name"), "code"),
        "certifications": _first_of(_certifications(movie), "country"),
        "external_ids": list(_external_ids(movie)),
        "videos": _first_of(_videos(movie), "site", "key"),
        "translations": _first_of(_translations(movie), "language", "country"),
        "alternative_titles": _first_of(_alternative_titles(movie), "country", "title"),
        "watch_providers": _first_of(_watch_providers(movie), "country", "kind", "provider_id"),
        "collections": _first_of(_collections(movie), "id"),
    }


def genres_of(body: JsonObject) -> list[Row]:
    """Return the id and name of each genre once, for the movie's own list of genres as well as for the rows."""
    return _named(body, "genres")


def keywords_of(body: JsonObject) -> list[Row]:
    """Return the id and name of each keyword once, for the movie's own list of keywords as well as for the rows."""
    return _named(body, "keywords")


def related_rows_json(rows: RelatedRows) -> str:
    """Return the rows as JSON, the same for the same rows."""
    return json.dumps(rows, sort_keys=True)


def related_rows_hash(as_json: str) -> str:
    """Return a hash of the rows; stored rows are replaced when it changes."""
    return hashlib.sha256(as_json.encode()).hexdigest()


def _first_of(rows: Iterable[Row], *key: str) -> list[Row]:
    return list(_first_ones(rows, *key))


def _first_ones(rows: Iterable[Row], *key: str) -> Iterator[Row]:
    """Yield the first row of each key; a row without a whole key is left out."""
    known: set[tuple[str | int | bool | None, ...]] = set()
    for row in rows:
        identity = tuple([row[name] for name in key])
        if identity not in known and None not in identity:
            known.add(identity)
            yield row


def _text(entry: JsonObject, key: str, longest: int = LONGEST) -> str | None:
    text = clean(entry.get(key))
    return text if text is None or len(text) <= longest else text[:longest].rstrip()


def _id(entry: JsonObject, key: str = "id") -> int | None:
    return Reader(entry).integer(key, 1, LARGEST_ID)


def _named(body: JsonObject, key: str) -> list[Row]:
    """Return the id and name of each entry.

    The list is the value of the key, or is inside the value under the same key or under "results".
    """
    inner = body.get(key)
    reader = Reader(inner if isinstance(inner, dict) else {key: inner})
    entries = reader.objects(key) or reader.objects("results")
    rows: list[Row] = [{"id": _id(entry), "name": _text(entry, "name", LONGEST_NAME)} for entry in entries]
    return _first_of((row for row in rows if row["name"] is not None), "id")


def _person(entry: JsonObject) -> Row:
    name = _text(entry, "name")
    return {
        "person_id": _id(entry) if name else None,
        "name": name,
        "gender": Reader(entry).integer("gender", 1, 3),  # 1 female, 2 male, 3 non-binary; TMDB's 0 is unknown
        "profile_path": _text(entry, "profile_path"),
    }


def _cast(movie: Reader) -> Iterator[Row]:
    """Yield the cast in the order of billing; people without one keep their place in TMDB's list."""
    billed: list[tuple[int, JsonObject]] = []
    for place, entry in enumerate(movie.inner("credits").objects("cast")):
        order = Reader(entry).integer("order", 0, 10_000)
        billed.append((place if order is None else order, entry))
    for billing, entry in sorted(billed, key=lambda pair: pair[0]):
        yield _person(entry) | {"billing": billing, "character": _text(entry, "character")}


def _crew(movie: Reader) -> Iterator[Row]:
    for entry in movie.inner("credits").objects("crew"):
        job = _text(entry, "job")
        if job in JOBS:
            yield _person(entry) | {"job": job, "department": _text(entry, "department")}


def _companies(movie: Reader) -> Iterator[Row]:
    for entry in movie.objects("production_companies"):
        if name := _text(entry, "name"):
            yield {
                "id": _id(entry),
                "name": name,
                "country": _text(entry, "origin_country", 2),
                "logo_path": _text(entry, "logo_path"),
            }


def _coded(movie: Reader, key: str, code: str, name: str) -> Iterator[Row]:
    for entry in movie.objects(key):
        yield {"code": _text(entry, code, 10), "name": _text(entry, name) or _text(entry, "name")}


def _certifications(movie: Reader) -> Iterator[Row]:
    for entry in movie.inner("release_dates").objects("results"):
        releases: list[Row] = [
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


def _external_ids(movie: Reader) -> Iterator[Row]:
    ids = movie.inner("external_ids").body
    for name in IDENTIFIERS:
        if value := _text(ids, name, 100):
            yield {"source": name.removesuffix("_id"), "value": value}


def _country(entry: JsonObject) -> str:
    """Return the country of a title or translation, UNKNOWN without one: such an entry is used like the others."""
    return _text(entry, "iso_3166_1", 2) or UNKNOWN


def _videos(movie: Reader) -> Iterator[Row]:
    for entry in movie.inner("videos").objects("results"):
        yield {
            "site": _text(entry, "site", 50) or UNKNOWN,
            "key": _text(entry, "key", 100),
            "name": _text(entry, "name"),
            "kind": _text(entry, "type", 50),
            "language": _text(entry, "iso_639_1", 10),
            "is_official": Reader(entry).flag("official"),
            "published": day.isoformat() if (day := Reader(entry).day("published_at")) else None,
        }


def _translations(movie: Reader) -> Iterator[Row]:
    for entry in movie.inner("translations").objects("translations"):
        texts = Reader(entry).inner("data").body
        row: Row = {
            "title": _text(texts, "title"),
            "overview": _text(texts, "overview", LONGEST_OVERVIEW),
            "tagline": _text(texts, "tagline"),
        }
        if any(row.values()):  # TMDB also lists languages without any text
            yield row | {"language": _text(entry, "iso_639_1", 10), "country": _country(entry)}


def _alternative_titles(movie: Reader) -> Iterator[Row]:
    for entry in movie.inner("alternative_titles").objects("titles"):
        yield {
            "country": _country(entry),
            "title": _text(entry, "title"),
            "kind": _text(entry, "type", 100),
        }


def _watch_providers(movie: Reader) -> Iterator[Row]:
    countries = movie.inner("watch/providers").inner("results").body
    for country in sorted(countries):
        offers = countries[country]
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


def _collections(movie: Reader) -> Iterator[Row]:
    entry = movie.inner("belongs_to_collection").body
    if name := _text(entry, "name"):
        yield {"id": _id(entry), "name": name, "poster_path": _text(entry, "poster_path")}
