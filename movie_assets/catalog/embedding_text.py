"""The text of a title that is embedded, and its hash, which shows whether the text changed.

The text has only stable, meaningful fields. Popularity, votes and ratings of nearly every title change every day; with
them, all titles would be embedded again each day. The text of a series has nothing that changes with each episode.
"""

import hashlib
import unicodedata

from movie_assets.tmdb.json_values import INVISIBLE
from movie_assets.tmdb.media import MOVIES, SERIES
from movie_assets.tmdb.movies import Movie
from movie_assets.tmdb.series import Series
from movie_assets.tmdb.titles import Title

TEMPLATE = "film-v1"  # names the template in an embedding set; a change of the template needs a new name
SERIES_TEMPLATE = "series-v1"
TEMPLATES = {MOVIES.name: TEMPLATE, SERIES.name: SERIES_TEMPLATE}  # by media type, as in pipeline.template_of

LONGEST_OVERVIEW = 6000  # characters; about 1,500 tokens, far below what any model takes
MAX_KEYWORDS = 20
MAX_DIRECTORS = 2
MAX_CREATORS = 2
MAX_NETWORKS = 2
MAX_LEADS = 3


def embedding_text(title: Title) -> str:
    """Return one paragraph for a title, without clauses that would be empty. Genres and keywords are sorted."""
    year = f" ({title.release_date.year})" if title.release_date else ""
    clauses = [
        f"{title.title}{year}.",
        (title.overview or "")[:LONGEST_OVERVIEW],
        _clause("Genres: ", title.genres),
        _clause("Keywords: ", title.keywords[:MAX_KEYWORDS]),
        *_makers(title),
        _clause("Starring ", title.leading_cast[:MAX_LEADS]),
    ]
    text = " ".join(clause for clause in clauses if clause)
    return unicodedata.normalize("NFC", " ".join(INVISIBLE.sub("", text).split()))


def text_hash(text: str, template: str = TEMPLATE) -> str:
    """Return the hexadecimal SHA-256 of the template's name and the text. A check computes the same in SQL."""
    return hashlib.sha256(f"{template}\n{text}".encode()).hexdigest()


def _makers(title: Title) -> list[str]:
    """Return the clauses that only one media type has."""
    match title:
        case Movie(directors=directors):
            return [_clause("Directed by ", directors[:MAX_DIRECTORS])]
        case Series(creators=creators, networks=networks):
            created = _clause("Created by ", creators[:MAX_CREATORS])
            return [created, _clause("Broadcast by ", networks[:MAX_NETWORKS])]
    return []


def _clause(label: str, names: tuple[str, ...]) -> str:
    return f"{label}{', '.join(names)}." if names else ""
