"""A plain list of films: “Title: YEAR | RATING | 1h 42m | 8.5 rating”, a description below, a blank line between.

RATING is the certification; the year may stand as “Title (YEAR)”, the rating as 8.5/10, or as a bare number at the end.
Whatever is missing is missing; a title is needed, and a piece that is none of these costs the film, as a rating that
was not understood would make it a film that is liked.
"""

import re
from collections.abc import Iterable, Iterator

from movie_assets.core.history_rows import Entry, FilmName, RowError, Tally, rating_in, title_in, year_in

HIGHEST = 10.0
YEAR = re.compile(r"\d{4}")
RUNTIME = re.compile(
    r"(?=\d)(?:\d+\s*h(?:(?:ou)?rs?)?\.?)?,?\s*(?:\d+\s*m(?:in(?:ute)?s?)?\.?)?|\d+\s*h\s*\d+", re.IGNORECASE
)
CALLED_RATING = re.compile(r"rating\b\s*:?\s*(.*)|(.*?)\s*\brating", re.IGNORECASE)
OUT_OF_TEN = re.compile(r"(.*?)\s*(?:/|out of)\s*10", re.IGNORECASE)
WITH_DECIMALS = re.compile(r"-?\d+[.,]\d+")
WHOLE = re.compile(r"-?\d+")
NOTHING = {"", "-", "no", "none", "n/a", "\u2013", "\u2014"}
CERTIFICATION = re.compile(
    r"(?:NR|UR|G|PG|PG-13|R|NC-17|TV-[A-Z0-9]+|Not Rated|Unrated|Approved|Passed|X|M|\d\d?\+?|-)"
)
# What other countries have: 12A, FSK 16, K-12, MA15+, AA, Btl, M/PG. After a title's colon it would be a title.
FOREIGN_CERTIFICATION = re.compile(
    r"\d\d?[A-Z+]|(?:FSK|[A-Z]{1,2})[- ]?\d\d?\+?|[A-Z]{1,3}(?:/[A-Z]{1,3})?|Btl|[Nn]ot [Rr]ated|[Uu]nrated|[Aa]ll"
)
OLDEST = 21  # no certification is for older people
HEAD = re.compile(
    r".*(?:\|.*\||:\s*\d{4}\s*(?:\||$)|\S\s*\(\d{4}\)\s*\||\|.*\brating\s*$|\|.*/\s*10\s*$)", re.IGNORECASE
)
NAMED_WITH_YEAR = re.compile(r"(.*\S)\s*\((\d{4})\)")
BEGINS_ANYWHERE = re.compile(r".*\S\s*(?::\s*\d{4}\s*\||\(\d{4}\)\s*(?:\||$))")


def is_a_head(line: str) -> bool:
    """Whether a line is the first of a film, and of no other kind of file."""
    return HEAD.match(line.strip()) is not None


def is_a_bare_head(line: str) -> bool:
    """Whether a line is nothing but a title with its year, as lines of other files may be."""
    return NAMED_WITH_YEAR.fullmatch(line.strip()) is not None


def read_film_list(lines: Iterable[str], tally: Tally, *, is_wanted: bool) -> Iterator[Entry]:
    """The films of a list. A paragraph without a head is rejected; a plain head needs no blank line before it."""
    after_blank = True
    for number, raw in enumerate(lines, start=1):
        line = raw.strip().removeprefix("\ufeff")
        if (after_blank and is_a_head(line)) or BEGINS_ANYWHERE.match(line):
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
        head, pieces = title.strip(), [last.strip(), *pieces]
    found = NAMED_WITH_YEAR.fullmatch(head)
    if found and year_in(found[2]):
        head, pieces = found[1], [found[2], *(piece for piece in pieces if piece != found[2])]
    told = _told(pieces)
    return FilmName(title_in(head), year_in(told.get("year", ""))), _rating_in(told.get("rating", ""))


def _told(pieces: list[str]) -> dict[str, str]:
    """What the pieces say, each once. Raises RowError for one that is nothing of it."""
    told: dict[str, str] = {}
    for place, piece in enumerate(pieces):
        if piece.lower() in NOTHING:
            continue
        kind = _kind_of(piece, told, is_last=place == len(pieces) - 1)
        if kind is None or kind in told:
            raise RowError(f"has “{piece[:40]}”, which is no year, certification, runtime or rating")
        told[kind] = piece
    return told


def _kind_of(piece: str, told: dict[str, str], *, is_last: bool) -> str | None:
    if YEAR.fullmatch(piece):
        return "year"
    if RUNTIME.fullmatch(piece):
        return "runtime"
    if CALLED_RATING.fullmatch(piece) or OUT_OF_TEN.fullmatch(piece) or WITH_DECIMALS.fullmatch(piece):
        return "rating"
    if is_last and WHOLE.fullmatch(piece) and (int(piece) <= HIGHEST or told.keys() - {"year"}):
        return "rating"
    if WHOLE.fullmatch(piece) and not 0 <= int(piece) <= OLDEST:
        return None
    return "certification" if CERTIFICATION.fullmatch(piece) or FOREIGN_CERTIFICATION.fullmatch(piece) else None


def _rating_in(piece: str) -> float | None:
    if found := CALLED_RATING.fullmatch(piece):
        piece = found[1] if found[1] is not None else found[2]
    if found := OUT_OF_TEN.fullmatch(piece):
        piece = found[1]
    return None if piece.lower() in NOTHING else rating_in(piece.replace(",", "."), 0, HIGHEST)
