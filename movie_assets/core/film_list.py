"""A plain list of films: “Title: YEAR | RATING | 1h 42m | 8.5 rating”, a description below, a blank line between.

RATING is the certification. Whatever is missing is missing; a title is needed.
"""

import re
from collections.abc import Iterable, Iterator

from movie_assets.core.history_rows import Entry, FilmName, RowError, Tally, rating_in, title_in, year_in

HIGHEST = 10.0
YEAR = re.compile(r"\d{4}")
RUNTIME = re.compile(r"(?=\d)(?:\d+\s*h(?:rs?)?)?\s*(?:\d+\s*m(?:ins?)?)?", re.IGNORECASE)
RATING = re.compile(r"(.*?)\s*(?:/\s*10)?\s*rating", re.IGNORECASE)
NO_RATING = {"", "-", "no", "n/a", "\u2013", "\u2014"}
CERTIFICATION = re.compile(
    r"(?:NR|UR|G|PG|PG-13|R|NC-17|TV-[A-Z0-9]+|Not Rated|Unrated|Approved|Passed|X|M|\d\d?\+?|-)"
)
HEAD = re.compile(r".*(?:\|.*\||:\s*\d{4}\s*(?:\||$)|\|.*\brating\s*$)", re.IGNORECASE)

BEGINS_ANYWHERE = re.compile(r".*\S\s*:\s*\d{4}\s*\|")


def is_a_head(line: str) -> bool:
    """Whether a line is the first of a film."""
    return HEAD.match(line.strip()) is not None


def read_film_list(lines: Iterable[str], tally: Tally, *, is_wanted: bool) -> Iterator[Entry]:
    """The films of a list. A paragraph without a head is rejected; a plain head needs no blank line before it."""
    after_blank = True
    for number, raw in enumerate(lines, start=1):
        line = raw.strip().removeprefix("\ufeff")
        if is_a_head(line) if after_blank else BEGINS_ANYWHERE.match(line):
            tally.rows += 1
            try:
                film, rating = _film_in(line)
                yield Entry(film, number, is_wanted, None if is_wanted else rating)
            except RowError as error:
                tally.reject(number, str(error), line)
        elif line and after_blank:
            tally.rows += 1
            tally.reject(number, "is no line of the form Title: YEAR | RATING | 1h 42m | 8.5 rating", line)
        after_blank = not line


def _film_in(line: str) -> tuple[FilmName, float | None]:
    if "\x00" in line:
        raise RowError("has NUL characters")
    head, *pieces = [piece.strip() for piece in line.split("|")]
    title, colon, last = head.rpartition(":")
    if colon and (not last.strip() or YEAR.fullmatch(last.strip()) or CERTIFICATION.fullmatch(last.strip())):
        head, pieces = title, [last.strip(), *pieces]
    year = next((year_in(piece) for piece in pieces if YEAR.fullmatch(piece)), None)
    return FilmName(title_in(head), year), _rating_in(pieces)


def _rating_in(pieces: list[str]) -> float | None:
    for piece in pieces:
        found = RATING.fullmatch(piece)
        if found and not RUNTIME.fullmatch(piece):
            return None if found[1].lower() in NO_RATING else rating_in(found[1], 0, HIGHEST)
    return None
