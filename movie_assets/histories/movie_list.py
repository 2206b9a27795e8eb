"""A plain list of films: “Title: YEAR | RATING | 1h 42m | 8.5 rating”, or one title a line.

RATING is the certification; the year may stand as “Title (YEAR)”, the rating as 8.5/10, or as a bare number at the end.
All pieces but the title are optional. A piece that is none of these rejects the row: a rating that was not understood
would make it a film that is liked.

A list has one of two forms. In the one with descriptions a blank line stands between films, and the lines below a film
describe it: half of them or more look like sentences. They are counted and named as passed over. In the other form each
line is a film, with or without a year.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from movie_assets.histories.cells import rating_in, title_in, year_in
from movie_assets.histories.rows import Entry, MovieName, RowError, Tally

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
LONGEST_LINE = 200  # characters of a title with its year
LINES_LOOKED_AT = 400  # to tell which form a list has
LIST_MARK = re.compile(r"^(?:[-*\u2022]|\d{1,4}[.)])\s+(?=\S)")  # "- Alien (1979)", "12. Alien (1979)"
OLDEST = 21  # no certification is for older people
HEAD = re.compile(
    r".*(?:\|.*\||:\s*\d{4}\s*(?:\||$)|\S\s*\(\d{4}\)\s*\||\|.*\brating\s*$|\|.*/\s*10\s*$)", re.IGNORECASE
)
NAMED_WITH_YEAR = re.compile(r"(.*\S)\s*[(\[](\d{4})[)\]]")
PROSE = re.compile(r".*[.!?,;\u2026][\"'\u201d\u2019)]*|.{81,}")  # how lines of a text look, and few titles
BEGINS_ANYWHERE = re.compile(r".*\S\s*(?::\s*\d{4}\s*\||\(\d{4}\)\s*(?:\||$))")


def is_a_head(line: str) -> bool:
    """Whether a line is the first of a film, and of no other kind of file."""
    return HEAD.match(line.strip()) is not None


def is_a_bare_head(line: str) -> bool:
    """Whether a line is nothing but a title with its year, as lines of other files may be."""
    return NAMED_WITH_YEAR.fullmatch(line.strip()) is not None


def is_list_of_titles(lines: list[str]) -> bool:
    """Whether lines are a list of titles: a third or more end with a year in brackets, and none is a paragraph."""
    named = [line.strip() for line in lines if line.strip()]
    is_plain = all(len(line) <= LONGEST_LINE and not line.startswith(("<", "{", "[{")) for line in named)
    return is_plain and 3 * sum(map(is_a_bare_head, named)) >= len(named) > 0


def read_film_list(lines: Iterable[str], tally: Tally, *, is_wanted: bool) -> Iterator[Entry]:
    """Yield the films of a list; count descriptions and reject what is no film."""
    incoming = iter(lines)
    beginning = list(islice(incoming, LINES_LOOKED_AT))
    has_descriptions = _has_descriptions([line.strip().removeprefix("\ufeff") for line in beginning])
    after_blank = True
    for number, raw in enumerate(chain(beginning, incoming), start=1):
        line = raw.strip().removeprefix("\ufeff")
        is_head = not has_descriptions or (after_blank and is_a_head(line)) or BEGINS_ANYWHERE.match(line)
        if line and (is_head or after_blank):
            tally.count_row()
        if line and is_head:
            try:
                film, rating = _film_in(line if has_descriptions else LIST_MARK.sub("", line))
                tally.taken += 1
                yield Entry(film, number, is_wanted, None if is_wanted else rating)
            except RowError as error:
                tally.reject(number, str(error), line)
        elif line and after_blank:
            tally.reject(number, "is no line of the form Title: YEAR | RATING | 1h 42m | 8.5 rating", line)
        elif line:
            tally.pass_over(number, "description", line)
        after_blank = not line


def _has_descriptions(lines: list[str]) -> bool:
    """Whether the lines below a film describe it, rather than name the next film."""
    named = [line for line in lines if line]
    others = [line for line in named if not is_a_head(line) and not is_a_bare_head(line)]
    is_prose = 2 * sum(line[0].islower() or PROSE.fullmatch(line) is not None for line in others) >= len(others) > 0
    if not _has_blank_lines_within(lines):
        every_line_is_a_film = all("|" in line or is_a_bare_head(line) for line in named)
        return not every_line_is_a_film and (any("|" in line for line in named) or is_prose)
    if any(map(is_a_head, named)):
        return True
    paragraphs = [line for line, before in zip(lines, ["", *lines], strict=False) if line and not before]
    return is_prose and len(paragraphs) > 1 and all(map(is_a_bare_head, paragraphs))


def _has_blank_lines_within(lines: list[str]) -> bool:
    places = [place for place, line in enumerate(lines) if line]
    return len(places) > 0 and not all(lines[places[0] : places[-1]])


def _film_in(line: str) -> tuple[MovieName, float | None]:
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
    return MovieName(title_in(head), year_in(told.get("year", ""))), _rating_in(told.get("rating", ""))


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
