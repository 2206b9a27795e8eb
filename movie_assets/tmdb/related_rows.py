"""The people, companies, places and offers around a title, read from TMDB's response as rows for SQL.

Each key is a table of sql/migrations/0006_facts.sql, each object a row with the columns as its keys. Entries without
an identifier are left out; of duplicates, the first is used. `tmdb.movies` reads the movie's own fields,
`tmdb.series_rows` what is different around a series.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
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
    """Read the rows of every table from the response for a movie.

    A part that is missing or has another shape gives an empty list.
    """
    movie = Reader(body)
    releases = list(_releases(movie))
    return rows_in_common(body) | {
        "cast": list(islice(first_ones(_cast(movie), "person_id"), MAX_CAST)),
        "crew": first_of(_crew(movie), "person_id", "job"),
        "certifications": certifications_of(releases),
        "release_dates": first_of(releases, "country", "kind", "released", "note", "language"),
        "collections": first_of(_collections(movie), "id"),
    }


def rows_in_common(body: JsonObject) -> RelatedRows:
    """Read the rows of the tables that the responses of all media types fill in the same way."""
    title = Reader(body)
    return {
        "genres": genres_of(body),
        "keywords": keywords_of(body),
        "companies": first_of(companies_of(title, "production_companies"), "id"),
        "countries": first_of(_coded(title, "production_countries", "iso_3166_1", "name"), "code"),
        "languages": first_of(_coded(title, "spoken_languages", "iso_639_1", "english_name"), "code"),
        "external_ids": list(_external_ids(title)),
        "videos": first_of(_videos(title), "site", "key"),
        "translations": first_of(_translations(title), "language", "country"),
        "alternative_titles": first_of(_alternative_titles(title), "country", "title"),
        "watch_providers": first_of(_watch_providers(title), "country", "kind", "provider_id"),
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


def first_of(rows: Iterable[Row], *key: str) -> list[Row]:
    """Return the first row of each key; a row without a whole key is left out."""
    return list(first_ones(rows, *key))


def first_ones(rows: Iterable[Row], *key: str) -> Iterator[Row]:
    """Yield the first row of each key; a row without a whole key is left out."""
    known: set[tuple[str | int | bool | None, ...]] = set()
    for row in rows:
        identity = tuple([row[name] for name in key])
        if identity not in known and None not in identity:
            known.add(identity)
            yield row


def text_of(entry: JsonObject, key: str, longest: int = LONGEST) -> str | None:
    """Return a text of an object, cut to `longest` characters; None when there is none."""
    text = clean(entry.get(key))
    return text if text is None or len(text) <= longest else text[:longest].rstrip()


def id_of(entry: JsonObject, key: str = "id") -> int | None:
    """Return an id of an object; None when there is none."""
    return Reader(entry).integer(key, 1, LARGEST_ID)


def _named(body: JsonObject, key: str) -> list[Row]:
    """Return the id and name of each entry.

    The list is the value of the key, or is inside the value under the same key or under "results".
    """
    inner = body.get(key)
    reader = Reader(inner if isinstance(inner, dict) else {key: inner})
    entries = reader.objects(key) or reader.objects("results")
    rows: list[Row] = [{"id": id_of(entry), "name": text_of(entry, "name", LONGEST_NAME)} for entry in entries]
    return first_of((row for row in rows if row["name"] is not None), "id")


def person_of(entry: JsonObject) -> Row:
    """Return the columns of a person; without a name there is no `person_id`, so that the row is left out."""
    name = text_of(entry, "name")
    return {
        "person_id": id_of(entry) if name else None,
        "name": name,
        "gender": Reader(entry).integer("gender", 1, 3),  # 1 female, 2 male, 3 non-binary; TMDB's 0 is unknown
        "profile_path": text_of(entry, "profile_path"),
    }


def in_order_of_billing(cast: Sequence[JsonObject]) -> list[tuple[int, JsonObject]]:
    """Return the cast with their billing, sorted by it; people without one keep their place in the list."""
    billed: list[tuple[int, JsonObject]] = []
    for place, entry in enumerate(cast):
        order = Reader(entry).integer("order", 0, 10_000)
        billed.append((place if order is None else order, entry))
    return sorted(billed, key=lambda pair: pair[0])


def companies_of(title: Reader, key: str) -> Iterator[Row]:
    """Yield the companies (or networks) in a list; those without a name are left out."""
    for entry in title.objects(key):
        if name := text_of(entry, "name"):
            yield {
                "id": id_of(entry),
                "name": name,
                "country": text_of(entry, "origin_country", 2),
                "logo_path": text_of(entry, "logo_path"),
            }


def _cast(movie: Reader) -> Iterator[Row]:
    for billing, entry in in_order_of_billing(movie.inner("credits").objects("cast")):
        yield person_of(entry) | {"billing": billing, "character": text_of(entry, "character")}


def _crew(movie: Reader) -> Iterator[Row]:
    for entry in movie.inner("credits").objects("crew"):
        job = text_of(entry, "job")
        if job in JOBS:
            yield person_of(entry) | {"job": job, "department": text_of(entry, "department")}


def _coded(title: Reader, key: str, code: str, name: str) -> Iterator[Row]:
    for entry in title.objects(key):
        yield {"code": text_of(entry, code, 10), "name": text_of(entry, name) or text_of(entry, "name")}


def _releases(movie: Reader) -> Iterator[Row]:
    """Yield the releases in all countries, in TMDB's order; `kind` is TMDB's type from 1 to 6."""
    for entry in movie.inner("release_dates").objects("results"):
        country = text_of(entry, "iso_3166_1", 2)
        for release in Reader(entry).objects("release_dates"):
            read = Reader(release)
            yield {
                "country": country,
                "kind": read.integer("type", 1, 6),
                "released": day.isoformat() if (day := read.day("release_date")) else None,
                "note": text_of(release, "note") or UNKNOWN,
                "language": text_of(release, "iso_639_1", 10) or UNKNOWN,
                "certification": text_of(release, "certification", 50),
            }


def certifications_of(releases: Iterable[Row]) -> list[Row]:
    """Return the certification of each country: that of a theatrical release, or else of its first one.

    `labels` has all certifications of the country, one to a line, where there are several.
    """
    by_country: dict[str, list[Row]] = {}
    for release in releases:
        if release["certification"] and release["country"]:
            by_country.setdefault(str(release["country"]), []).append(release)
    rows = []
    for certified in by_country.values():
        chosen = min(certified, key=lambda row: row.get("kind") != THEATRICAL)
        labels = dict.fromkeys(str(row["certification"]) for row in certified)
        row = {key: value for key, value in chosen.items() if key not in ("note", "language")}
        rows.append(row | ({"labels": "\n".join(labels)} if len(labels) > 1 else {}))
    return rows


def _external_ids(title: Reader) -> Iterator[Row]:
    ids = title.inner("external_ids").body
    for name in IDENTIFIERS:
        if value := text_of(ids, name, 100):
            yield {"source": name.removesuffix("_id"), "value": value}
    if (tvdb_id := id_of(ids, "tvdb_id")) is not None:  # of series only, and a number
        yield {"source": "tvdb", "value": str(tvdb_id)}


def _country(entry: JsonObject) -> str:
    """Return the country of a title or translation, UNKNOWN without one: such an entry is used like the others."""
    return text_of(entry, "iso_3166_1", 2) or UNKNOWN


def _videos(title: Reader) -> Iterator[Row]:
    for entry in title.inner("videos").objects("results"):
        yield {
            "site": text_of(entry, "site", 50) or UNKNOWN,
            "key": text_of(entry, "key", 100),
            "name": text_of(entry, "name"),
            "kind": text_of(entry, "type", 50),
            "language": text_of(entry, "iso_639_1", 10),
            "is_official": Reader(entry).flag("official"),
            "published": day.isoformat() if (day := Reader(entry).day("published_at")) else None,
        }


def _translations(title: Reader) -> Iterator[Row]:
    for entry in title.inner("translations").objects("translations"):
        texts = Reader(entry).inner("data").body
        row: Row = {
            "title": text_of(texts, "title") or text_of(texts, "name"),  # the latter of a series
            "overview": text_of(texts, "overview", LONGEST_OVERVIEW),
            "tagline": text_of(texts, "tagline"),
        }
        if any(row.values()):  # TMDB also lists languages without any text
            yield row | {"language": text_of(entry, "iso_639_1", 10), "country": _country(entry)}


def _alternative_titles(title: Reader) -> Iterator[Row]:
    titles = title.inner("alternative_titles")
    for entry in titles.objects("titles") or titles.objects("results"):  # the latter of a series
        yield {
            "country": _country(entry),
            "title": text_of(entry, "title"),
            "kind": text_of(entry, "type", 100),
        }


def _watch_providers(title: Reader) -> Iterator[Row]:
    countries = title.inner("watch/providers").inner("results").body
    for country in sorted(countries):
        offers = countries[country]
        if not isinstance(offers, dict):
            continue
        for kind in OFFERS:
            for entry in Reader(offers).objects(kind):
                yield {
                    "country": country[:2],
                    "kind": kind,
                    "provider_id": id_of(entry, "provider_id") if text_of(entry, "provider_name") else None,
                    "name": text_of(entry, "provider_name"),
                    "link": text_of(offers, "link"),
                }


def _collections(movie: Reader) -> Iterator[Row]:
    entry = movie.inner("belongs_to_collection").body
    if name := text_of(entry, "name"):
        yield {"id": id_of(entry), "name": name, "poster_path": text_of(entry, "poster_path")}
