"""From TMDB's response to what is stored of a film: its facts and the text to embed.

One pure step, so that a stored response can be read again when the parser or the template changed, without asking
TMDB. Whether the film belongs in the catalogue is evaluated by sql/catalog/eligibility.sql.
"""

from dataclasses import dataclass
from typing import Any

from movie_assets.catalog.embedding_text import TEMPLATE, embedding_text, text_hash
from movie_assets.tmdb.movies import PARSER_VERSION, Film, read_film
from movie_assets.tmdb.related_rows import Facts, facts_hash, read_facts


@dataclass(frozen=True)
class Judged:
    """A film with what is around it."""

    film: Film
    text: str
    text_hash: str
    facts: Facts
    facts_hash: str


def judge(body: Any, tmdb_id: int) -> Judged:
    """Read a response; raises UnusableAnswerError when it is not the film that was asked for."""
    film = read_film(body, tmdb_id)
    text = embedding_text(film)
    facts = read_facts(body)
    return Judged(film, text, text_hash(text), facts, facts_hash(facts))


def judge_name() -> str:
    """Name the parser and the template; stored responses that were read by others are read again."""
    return f"parser-{PARSER_VERSION} {TEMPLATE}"
