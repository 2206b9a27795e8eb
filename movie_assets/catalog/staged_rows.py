"""A title as a row of the temporary table incoming_films, from which SQL writes it (sql/catalog/store_details.sql)."""

from psycopg.types.json import Jsonb

from movie_assets.catalog.broadcasts import seasons_in, without_seasons
from movie_assets.catalog.eligibility import Derived
from movie_assets.tmdb.json_values import JsonObject
from movie_assets.tmdb.series import Series

TITLE_COLUMNS = {
    "title_id": "int8", "imdb_id": "text", "title": "text", "original_title": "text", "original_language": "text",
    "release_date": "date", "runtime_minutes": "int2", "status": "text", "tagline": "text", "overview": "text",
    "genres": "text[]", "keywords": "text[]", "directors": "text[]", "leading_cast": "text[]", "countries": "text[]",
    "collection_id": "int8", "collection": "text", "certification": "text", "budget": "int8", "revenue": "int8",
    "poster_path": "text", "backdrop_path": "text", "popularity": "float8", "vote_average": "float8",
    "vote_count": "int4",
}  # fmt: skip
STAGED_COLUMNS = TITLE_COLUMNS | {
    "adult": "bool", "video": "bool", "softcore": "bool", "body": "jsonb", "embedding_text": "text",
    "text_hash": "text", "related_rows": "jsonb", "facts_hash": "text", "broadcasts": "jsonb", "season_bodies": "jsonb",
    "has_offers": "bool",
}  # fmt: skip
FLAGS = ("adult", "video", "softcore")
OF_MOVIES_ALONE: dict[str, object] = {"directors": [], "video": False}  # and columns that are null for other titles


def staged_row(derived: Derived, body: JsonObject | None) -> tuple[object, ...]:
    """Return a title as a row of incoming_films; `body` is None for one that was read from its stored response."""
    title = derived.title
    values = (getattr(title, column, OF_MOVIES_ALONE.get(column)) for column in (*TITLE_COLUMNS, *FLAGS))
    columns = (list(value) if isinstance(value, tuple) else value for value in values)
    related = (_as_jsonb(derived.related_rows_json), derived.related_rows_hash)
    broadcasts = _as_jsonb(derived.broadcasts_json)
    seasons = None
    if isinstance(title, Series) and body is not None:
        seasons = Jsonb(seasons_in(body, [each.season.season_number for each in title.fetched]))
        body = without_seasons(body)
    stored_body = None if body is None else Jsonb(body)
    return (*columns, stored_body, derived.text, derived.text_hash, *related, broadcasts, seasons, _has_offers(body))


def _has_offers(body: JsonObject | None) -> bool:
    """Return whether a response says what providers offer; one without the part says nothing."""
    part = None if body is None else body.get("watch/providers")
    return isinstance(part, dict) and isinstance(part.get("results"), dict)


def _as_jsonb(text: str | None) -> Jsonb | None:
    return None if text is None else Jsonb(text, dumps=str)
