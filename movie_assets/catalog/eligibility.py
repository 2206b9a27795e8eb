"""Reading TMDB's response for a title into the values that are stored: columns, related rows and the text to embed.

This is a pure step, so that a stored response can be read again without a call when the parser or the template changed.
sql/catalog/eligibility.sql evaluates whether the title belongs in the catalogue.
"""

from collections.abc import Collection
from dataclasses import dataclass

from movie_assets.catalog.broadcasts import broadcasts_json
from movie_assets.catalog.embedding_text import TEMPLATES, embedding_text, text_hash
from movie_assets.tmdb.json_values import JsonObject
from movie_assets.tmdb.media import ALL, MOVIES, MediaType
from movie_assets.tmdb.related_rows import RelatedRows, related_rows_hash, related_rows_json
from movie_assets.tmdb.series import Series
from movie_assets.tmdb.titles import Title


@dataclass(frozen=True)
class Derived:
    """The values that are stored of a title: its columns, its text to embed and its related rows, with their hashes.

    `broadcasts_json` has the seasons and episodes of a series, None for a movie.
    """

    title: Title
    text: str
    text_hash: str
    related_rows: RelatedRows
    related_rows_json: str
    related_rows_hash: str
    broadcasts_json: str | None


def derive(body: JsonObject, tmdb_id: int, media: MediaType = MOVIES) -> Derived:
    """Read the JSON of a response. Raises UnusableResponseError when it is not the title with this id."""
    title = media.read(body, tmdb_id)
    text = embedding_text(title)
    related_rows = media.read_rows(body)
    as_json = related_rows_json(related_rows)
    return Derived(
        title,
        text,
        text_hash(text, TEMPLATES[media.name]),
        related_rows,
        as_json,
        related_rows_hash(as_json),
        broadcasts_json(title) if isinstance(title, Series) else None,
    )


def derivation_names(media_types: Collection[str]) -> list[str]:
    """Return the name for each media type, in their order."""
    return [derivation_name(each) for name in media_types for each in ALL if each.name == name]


def derivation_name(media: MediaType = MOVIES) -> str:
    """Return the name of the parser and the template. Stored responses with another name are read again."""
    return f"parser-{media.parser_version} {TEMPLATES[media.name]}"
