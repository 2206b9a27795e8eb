"""IMDb's exports of ratings, lists and watchlists, in all their forms since 2008 and in any language of the account."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

from movie_assets.histories.cells import date_in, imdb_id_in, rating_in, title_in, year_in
from movie_assets.histories.rows import Entry, MovieName, RowError, SeriesEntry, Tally, read_table

LOWEST, HIGHEST = 1.0, 10.0
RATING_COLUMNS = ("your rating", "you rated")
NO_RATINGS = "there is no column Your Rating: taken as seen, without a rating"
TitleKind = Literal["movie", "series", "episode", "other"]
# Words of title types without accents, blanks and hyphens, in lower case. IMDb writes them in the account's language:
# tvMovie (until 2017), TV Movie, TV-Film, Téléfilm, Película de TV. The first word that a title type contains decides.
OTHER = (
    "game", "videospiel", "computerspiel", "jeuvideo", "juego", "gioco", "jogo", "musicvideo", "musikvideo", "videomus",
    "clip", "podcast",
)  # fmt: skip
EPISODE = ("episod", "folge", "epizod", "aflevering", "avsnitt")
SERIES = ("serie", "sarja", "sorozat", "dizi", "soap", "sendung", "сериал", "seria", "serial", "telenovela")
MOVIE = (
    "movie", "film", "pelicula", "short", "kurz", "court", "corto", "curta", "special", "speciale", "especial",
    "video", "feature", "longmetrage", "longmetraje", "фильм", "elokuva",
)  # fmt: skip


def kind_of(title_type: str) -> TitleKind | None:
    """Return the kind of title that a title type of IMDb's means; None for an unknown one."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", title_type.lower()) if not unicodedata.combining(c))
    word = re.sub(r"[^\w]|_", "", plain)
    kinds: dict[TitleKind, tuple[str, ...]] = {"other": OTHER, "episode": EPISODE, "series": SERIES, "movie": MOVIE}
    return next((kind for kind, words in kinds.items() if any(part in word for part in words)), None)


def read_imdb(
    lines: Iterable[str], tally: Tally, as_of: datetime, *, unrated_is_wanted: bool, delimiter: str = ","
) -> Iterator[Entry | SeriesEntry]:
    """Yield the films and series of an export; games, podcasts and music videos are passed over.

    A film with a rating was seen, also in a watchlist. A row with an unknown title type is assumed to be a film: it is
    matched by its id, and only films have IMDb ids in the catalogue.
    """
    for line, cells in read_table(lines, tally, delimiter):
        row = {name.lower(): cell for name, cell in cells.items()}
        title_type = row.get("title type", "")
        kind = kind_of(title_type)
        if kind == "other":
            tally.pass_over(line, title_type, list(cells.values()))
            continue
        try:
            entry = _entry(row, line, kind, tally, as_of, unrated_is_wanted=unrated_is_wanted)
        except RowError as error:
            tally.reject(line, str(error), list(cells.values()))
            continue
        if "position" not in row and not row.keys() & set(RATING_COLUMNS):
            tally.assume(line, NO_RATINGS, list(cells.values()))
        if kind is None and "title type" in row:
            guess = f"title type “{title_type}” is not known: taken for a film" if title_type else "no title type"
            tally.assume(line, guess, list(cells.values()))
        tally.taken += 1
        yield entry


def _entry(
    row: dict[str, str], line: int, kind: TitleKind | None, tally: Tally, as_of: datetime, *, unrated_is_wanted: bool
) -> Entry | SeriesEntry:
    imdb_id = imdb_id_in(row.get("const", ""))
    title = row.get("title", "")
    title = "" if imdb_id and not title else title_in(title)
    year = year_in(row.get("year", ""))
    cell = next((row[name] for name in RATING_COLUMNS if row.get(name)), "")
    rating = rating_in(cell, LOWEST, HIGHEST)
    seen_at = date_in(row.get("date rated", ""), as_of, tally)
    is_wanted = unrated_is_wanted and rating is None
    if kind in ("series", "episode"):
        return SeriesEntry(
            kind, line, title, year, imdb_id, is_wanted=is_wanted, rating=rating,
            seen_at=None if is_wanted else seen_at,
        )  # fmt: skip
    return Entry(MovieName(title, year, imdb_id), line, is_wanted, rating, seen_at)
