"""From TMDB's response to what is stored of a film: its facts and the text to embed.

One pure step, so that a stored response can be read again when the parser or the template changed, without asking
TMDB. Whether the film belongs in the catalogue is evaluated by sql/catalog/eligibility.sql.
"""

from dataclasses import dataclass
from typing import Any

from movie_assets.catalog.embedding_text import TEMPLATE, embedding_text, text_hash
from movie_assets.tmdb.movies import PARSER_VERSION, Movie, read_movie
from movie_assets.tmdb.related_rows import RelatedRows, read_related_rows, related_rows_hash


@dataclass(frozen=True)
class Derived:
    """A film with what is around it."""

    film: Movie
    text: str
    text_hash: str
    facts: RelatedRows
    facts_hash: str


def derive(body: Any, tmdb_id: int) -> Derived:
    """Read a response; raises UnusableResponseError when it is not the film that was asked for."""
    film = read_movie(body, tmdb_id)
    text = embedding_text(film)
    facts = read_related_rows(body)
    return Derived(film, text, text_hash(text), facts, related_rows_hash(facts))


def derivation_name() -> str:
    """Name the parser and the template; stored responses that were read by others are read again."""
    return f"parser-{PARSER_VERSION} {TEMPLATE}"
