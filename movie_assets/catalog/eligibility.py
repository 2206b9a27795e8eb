"""Reading TMDB's response for a film into the values that are stored: columns, related rows and the text to embed.

This is a pure step, so that a stored response can be read again without a call when the parser or the template changed.
sql/catalog/eligibility.sql evaluates whether the film belongs in the catalogue.
"""

from dataclasses import dataclass

from movie_assets.catalog.embedding_text import TEMPLATE, embedding_text, text_hash
from movie_assets.tmdb.json_values import JsonObject
from movie_assets.tmdb.movies import PARSER_VERSION, Movie, read_movie
from movie_assets.tmdb.related_rows import RelatedRows, read_related_rows, related_rows_hash, related_rows_json


@dataclass(frozen=True)
class Derived:
    """The values that are stored of a film: its columns, its text to embed and its related rows, with their hashes."""

    movie: Movie
    text: str
    text_hash: str
    related_rows: RelatedRows
    related_rows_json: str
    related_rows_hash: str


def derive(body: JsonObject, tmdb_id: int) -> Derived:
    """Read the JSON of a response. Raises UnusableResponseError when it is not the film with this id."""
    movie = read_movie(body, tmdb_id)
    text = embedding_text(movie)
    related_rows = read_related_rows(body)
    as_json = related_rows_json(related_rows)
    return Derived(movie, text, text_hash(text), related_rows, as_json, related_rows_hash(as_json))


def derivation_name() -> str:
    """Return the name of the parser and the template. Stored responses with another name are read again."""
    return f"parser-{PARSER_VERSION} {TEMPLATE}"
