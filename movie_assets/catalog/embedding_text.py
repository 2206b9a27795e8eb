"""The text of a film that is embedded, and its hash, which shows whether the text changed.

The text has only stable, meaningful fields. Popularity, votes and ratings of nearly every film change every day; with
them, all films would be embedded again each day.
"""

import hashlib
import unicodedata

from movie_assets.tmdb.json_values import INVISIBLE
from movie_assets.tmdb.movies import Movie

TEMPLATE = "film-v1"  # names the template in an embedding set; a change of the template needs a new name

LONGEST_OVERVIEW = 6000  # characters; about 1,500 tokens, far below what any model takes
MAX_KEYWORDS = 20
MAX_DIRECTORS = 2
MAX_LEADS = 3


def embedding_text(movie: Movie) -> str:
    """Return one paragraph for a film, without clauses that would be empty. Genres and keywords are sorted."""
    year = f" ({movie.release_date.year})" if movie.release_date else ""
    clauses = [
        f"{movie.title}{year}.",
        (movie.overview or "")[:LONGEST_OVERVIEW],
        _clause("Genres: ", movie.genres),
        _clause("Keywords: ", movie.keywords[:MAX_KEYWORDS]),
        _clause("Directed by ", movie.directors[:MAX_DIRECTORS]),
        _clause("Starring ", movie.leading_cast[:MAX_LEADS]),
    ]
    text = " ".join(clause for clause in clauses if clause)
    return unicodedata.normalize("NFC", " ".join(INVISIBLE.sub("", text).split()))


def text_hash(text: str) -> str:
    """Return the hexadecimal SHA-256 of the template's name and the text. A check computes the same in SQL."""
    return hashlib.sha256(f"{TEMPLATE}\n{text}".encode()).hexdigest()


def _clause(label: str, names: tuple[str, ...]) -> str:
    return f"{label}{', '.join(names)}." if names else ""
