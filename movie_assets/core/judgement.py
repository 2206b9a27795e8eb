"""From TMDB's answer to what is stored of a film: its facts, the verdict on it, the text to embed.

One pure step, so that a stored answer can be judged again when a rule, the parser or the template changed,
without asking TMDB.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

from movie_assets.core.facts import Facts, facts_hash, read_facts
from movie_assets.core.films import PARSER_VERSION, Film, read_film
from movie_assets.core.filters import Thresholds
from movie_assets.core.text import TEMPLATE, embedding_text, text_hash


@dataclass(frozen=True)
class Judged:
    """A film with its verdict and what is around it; `reason` is None when the film is accepted."""

    film: Film
    reason: str | None
    text: str
    text_hash: str
    facts: Facts
    facts_hash: str


def judge(body: Any, tmdb_id: int, thresholds: Thresholds, day: date, *, is_kept: bool = False) -> Judged:
    """Read an answer and judge it as of a day; a film that is kept on request has to pass hardly a rule.

    Raises UnusableAnswerError when it is not the film that was asked for.
    """
    film = read_film(body, tmdb_id)
    text = embedding_text(film)
    facts = read_facts(body)
    return Judged(
        film, thresholds.reason_to_reject(film, day, is_kept=is_kept), text, text_hash(text), facts, facts_hash(facts)
    )


def judge_name(thresholds: Thresholds) -> str:
    """Names everything that a verdict depends on besides the answer; another name asks for another verdict."""
    rules = hashlib.sha256(repr(thresholds).encode()).hexdigest()[:12]
    return f"parser-{PARSER_VERSION} {TEMPLATE} rules-{rules}"
