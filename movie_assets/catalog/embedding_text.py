"""What is embedded of a film, and the hash by which a change of it is noticed.

Only stable, meaningful fields: popularity, votes and ratings move for nearly every film every day and would
have all of them embedded again. How texts become vectors is the embedder's business.
"""

import hashlib
import unicodedata

from movie_assets.tmdb.json_values import INVISIBLE
from movie_assets.tmdb.movies import Movie

TEMPLATE = "film-v1"  # names the template in an embedding set; a change of the template needs a new name

LONGEST_OVERVIEW = 6000  # characters; about 1,500 tokens, far below what any model takes
KEYWORDS = 20
DIRECTORS = 2
LEADS = 3


def embedding_text(film: Movie) -> str:
    """One paragraph for a film; clauses that would be empty are left out. Genres and keywords are sorted."""
    year = f" ({film.release_date.year})" if film.release_date else ""
    clauses = [
        f"{film.title}{year}.",
        (film.overview or "")[:LONGEST_OVERVIEW],
        _clause("Genres: ", film.genres),
        _clause("Keywords: ", film.keywords[:KEYWORDS]),
        _clause("Directed by ", film.directors[:DIRECTORS]),
        _clause("Starring ", film.leading_cast[:LEADS]),
    ]
    text = " ".join(clause for clause in clauses if clause)
    return unicodedata.normalize("NFC", " ".join(INVISIBLE.sub("", text).split()))


def text_hash(text: str) -> str:
    """Hexadecimal SHA-256 of the template's name and the text; SQL computes the same in a check."""
    return hashlib.sha256(f"{TEMPLATE}\n{text}".encode()).hexdigest()


def _clause(label: str, names: tuple[str, ...]) -> str:
    return f"{label}{', '.join(names)}." if names else ""
