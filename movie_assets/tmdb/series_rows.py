"""The people, companies, places and offers around a series, read from TMDB's response as rows for SQL.

Tables and columns are those of `tmdb.related_rows`, with networks and creators as further tables, `episode_count` as a
further column of cast and crew, and `descriptors` of certifications. `tmdb.seasons` reads seasons and episodes.
"""

from collections.abc import Iterator
from itertools import islice

from movie_assets.tmdb.json_values import JsonObject, Reader, clean
from movie_assets.tmdb.related_rows import (
    JOBS,
    MAX_CAST,
    RelatedRows,
    Row,
    certifications_of,
    companies_of,
    first_of,
    first_ones,
    in_order_of_billing,
    person_of,
    rows_in_common,
    text_of,
)

MAX_CREW = 60  # jobs of people, by episodes: a long series has hundreds of directors and writers
MAX_EPISODES = 10**6

# Keys at the top of TMDB's response, with everything appended but seasons. Others are new at TMDB, and are counted.
KNOWN_KEYS = {
    "adult", "aggregate_credits", "alternative_titles", "backdrop_path", "content_ratings", "created_by",
    "episode_run_time", "external_ids", "first_air_date", "genres", "homepage", "id", "in_production", "keywords",
    "languages", "last_air_date", "last_episode_to_air", "name", "networks", "next_episode_to_air",
    "number_of_episodes", "number_of_seasons", "origin_country", "original_language", "original_name", "overview",
    "popularity", "poster_path", "production_companies", "production_countries", "seasons", "softcore",
    "spoken_languages", "status", "tagline", "translations", "type", "videos", "vote_average", "vote_count",
    "watch/providers",
}  # fmt: skip


def read_series_rows(body: JsonObject) -> RelatedRows:
    """Read the rows of every table from the response for a series.

    A part that is missing or has another shape gives an empty list.
    """
    series = Reader(body)
    crew = sorted(_crew(series), key=lambda row: -int(row["episode_count"] or 0))
    return rows_in_common(body) | {
        "cast": list(islice(first_ones(_cast(series), "person_id"), MAX_CAST)),
        "crew": list(islice(first_ones(crew, "person_id", "job"), MAX_CREW)),
        "certifications": certifications_of(_certifications(series)),
        "networks": networks_of(body),
        "creators": creators_of(body),
    }


def networks_of(body: JsonObject) -> list[Row]:
    """Return each network once, with its place in TMDB's order."""
    rows = first_of(companies_of(Reader(body), "networks"), "id")
    return [row | {"position": position} for position, row in enumerate(rows)]


def creators_of(body: JsonObject) -> list[Row]:
    """Return each person who created the series once, with the place in TMDB's order."""
    rows = first_of((person_of(entry) for entry in Reader(body).objects("created_by")), "person_id")
    return [row | {"position": position} for position, row in enumerate(rows)]


def _cast(series: Reader) -> Iterator[Row]:
    """Yield the cast of all episodes in the order of billing; of several roles, the longest comes first."""
    for billing, entry in in_order_of_billing(series.inner("aggregate_credits").objects("cast")):
        roles = sorted(Reader(entry).objects("roles"), key=lambda role: -(_episodes_of(role) or 0))
        characters = dict.fromkeys(name for role in roles if (name := clean(role.get("character"))))
        yield person_of(entry) | {
            "billing": billing,
            "character": text_of({"character": " / ".join(characters)}, "character"),
            "episode_count": _total_of(entry, roles),
        }


def _crew(series: Reader) -> Iterator[Row]:
    for entry in series.inner("aggregate_credits").objects("crew"):
        for each in Reader(entry).objects("jobs"):
            job = text_of(each, "job")
            if job in JOBS:
                department = text_of(entry, "department")
                yield person_of(entry) | {"job": job, "department": department, "episode_count": _episodes_of(each)}


def _episodes_of(role_or_job: JsonObject) -> int | None:
    return Reader(role_or_job).integer("episode_count", 0, MAX_EPISODES)


def _total_of(entry: JsonObject, roles: list[JsonObject]) -> int | None:
    """Return in how many episodes a person is; without a total, at least those of the longest role."""
    total = Reader(entry).integer("total_episode_count", 0, MAX_EPISODES)
    return total if total is not None or not roles else _episodes_of(roles[0])


def _certifications(series: Reader) -> Iterator[Row]:
    for entry in series.inner("content_ratings").objects("results"):
        if certification := text_of(entry, "rating", 50):
            yield {
                "country": text_of(entry, "iso_3166_1", 10),  # TMDB also has CA-QC
                "certification": certification,
                "kind": None,
                "released": None,
                "descriptors": _descriptors(entry.get("descriptors")),
            }


def _descriptors(values: object) -> str | None:
    """Return the reasons for a rating as one text, in TMDB's order."""
    texts = [text for value in values if (text := clean(value))] if isinstance(values, list) else []
    return text_of({"descriptors": ", ".join(dict.fromkeys(texts))}, "descriptors")
