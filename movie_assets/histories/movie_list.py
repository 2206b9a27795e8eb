"""Reads plain lists of films: “Title: YEAR | RATING | 1h 42m | 8.5 rating”, or one title per line.

RATING is the certification. The year may be written as “Title (YEAR)”, and the rating as 8.5/10 or as a number at the
end. All fields but the title are optional. An unrecognised field rejects the row: without its rating, a film would
count as liked.

A list has one of two forms. In the form with descriptions, films are separated by blank lines, and the lines below a
film describe it; at least half of them look like sentences. They are counted as passed over. In the other form each
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
# Certifications of other countries: 12A, FSK 16, K-12, MA15+, AA, Btl, M/PG. After a title's colon they are a title.
FOREIGN_CERTIFICATION = re.compile(
    r"\d\d?[A-Z+]|(?:FSK|[A-Z]{1,2})[- ]?\d\d?\+?|[A-Z]{1,3}(?:/[A-Z]{1,3})?|Btl|[Nn]ot [Rr]ated|[Uu]nrated|[Aa]ll"
)
LONGEST_LINE = 200  # characters of a title with its year
LINES_EXAMINED = 400  # to recognise the form of a list
LIST_MARK = re.compile(r"^(?:[-*\u2022]|\d{1,4}[.)])\s+(?=\S)")  # "- Alien (1979)", "12. Alien (1979)"
OLDEST = 21  # the highest age of a certification
MOVIE_LINE = re.compile(
    r".*(?:\|.*\||:\s*\d{4}\s*(?:\||$)|\S\s*\(\d{4}\)\s*\||\|.*\brating\s*$|\|.*/\s*10\s*$)", re.IGNORECASE
)
TITLE_WITH_YEAR = re.compile(r"(.*\S)\s*[(\[](\d{4})[)\]]")
PROSE = re.compile(r".*[.!?,;\u2026][\"'\u201d\u2019)]*|.{81,}")  # matches most lines of a text, and few titles
BEGINS_ANYWHERE = re.compile(r".*\S\s*(?::\s*\d{4}\s*\||\(\d{4}\)\s*(?:\||$))")


def is_movie_line(line: str) -> bool:
    """Return whether a line has the form of a film in a list, which lines of other files do not have."""
    return MOVIE_LINE.match(line.strip()) is not None


def is_title_with_year(line: str) -> bool:
    """Return whether a line is only a title with its year; lines of other files may be, too."""
    return TITLE_WITH_YEAR.fullmatch(line.strip()) is not None


def is_list_of_titles(lines: list[str]) -> bool:
    """Return whether lines are a list of titles: a third end with a year in brackets, and none is a paragraph."""
    filled = [line.strip() for line in lines if line.strip()]
    is_plain = all(len(line) <= LONGEST_LINE and not line.startswith(("<", "{", "[{")) for line in filled)
    return is_plain and 3 * sum(map(is_title_with_year, filled)) >= len(filled) > 0


def read_movie_list(lines: Iterable[str], tally: Tally, *, is_wanted: bool) -> Iterator[Entry]:
    """Yield the films of a list. Descriptions are counted as passed over, other lines as rejected."""
    incoming = iter(lines)
    beginning = list(islice(incoming, LINES_EXAMINED))
    has_descriptions = _has_descriptions([line.strip().removeprefix("\ufeff") for line in beginning])
    after_blank = True
    for number, raw in enumerate(chain(beginning, incoming), start=1):
        line = raw.strip().removeprefix("\ufeff")
        is_movie = not has_descriptions or (after_blank and is_movie_line(line)) or BEGINS_ANYWHERE.match(line)
        if line and (is_movie or after_blank):
            tally.count_row()
        if line and is_movie:
            try:
                movie, rating = _movie_in(line if has_descriptions else LIST_MARK.sub("", line))
                tally.taken += 1
                yield Entry(movie, number, is_wanted, None if is_wanted else rating)
            except RowError as error:
                tally.reject(number, str(error), line)
        elif line and after_blank:
            tally.reject(number, "is no line of the form Title: YEAR | RATING | 1h 42m | 8.5 rating", line)
        elif line:
            tally.pass_over(number, "description", line)
        after_blank = not line


def _has_descriptions(lines: list[str]) -> bool:
    """Return whether the lines below a film describe it, rather than being films themselves."""
    filled = [line for line in lines if line]
    others = [line for line in filled if not is_movie_line(line) and not is_title_with_year(line)]
    is_prose = 2 * sum(line[0].islower() or PROSE.fullmatch(line) is not None for line in others) >= len(others) > 0
    if not _has_blank_lines_within(lines):
        every_line_is_a_movie = all("|" in line or is_title_with_year(line) for line in filled)
        return not every_line_is_a_movie and (any("|" in line for line in filled) or is_prose)
    if any(map(is_movie_line, filled)):
        return True
    paragraphs = [line for line, before in zip(lines, ["", *lines], strict=False) if line and not before]
    return is_prose and len(paragraphs) > 1 and all(map(is_title_with_year, paragraphs))


def _has_blank_lines_within(lines: list[str]) -> bool:
    places = [place for place, line in enumerate(lines) if line]
    return len(places) > 0 and not all(lines[places[0] : places[-1]])


def _movie_in(line: str) -> tuple[MovieName, float | None]:
    """Return the movie and the rating (0-100) of a line. Raises RowError for an unrecognised or repeated field."""
    if "\x00" in line:
        raise RowError("has NUL characters")
    title, *texts = [text.strip() for text in line.split("|")]
    before, colon, last = title.rpartition(":")
    if colon and (not last.strip() or YEAR.fullmatch(last.strip()) or CERTIFICATION.fullmatch(last.strip())):
        title, texts = before.strip(), [last.strip(), *texts]
    match = TITLE_WITH_YEAR.fullmatch(title)
    if match and year_in(match[2]):
        title, texts = match[1], [match[2], *(text for text in texts if text != match[2])]
    fields = _fields_in(texts)
    return MovieName(title_in(title), year_in(fields.get("year", ""))), _rating_in(fields.get("rating", ""))


def _fields_in(texts: list[str]) -> dict[str, str]:
    """Return the fields by kind. Raises RowError for an unrecognised or repeated one."""
    fields: dict[str, str] = {}
    for place, text in enumerate(texts):
        if text.lower() in NOTHING:
            continue
        kind = _kind_of(text, fields, is_last=place == len(texts) - 1)
        if kind is None or kind in fields:
            raise RowError(f"has “{text[:40]}”, which is no year, certification, runtime or rating")
        fields[kind] = text
    return fields


def _kind_of(text: str, fields: dict[str, str], *, is_last: bool) -> str | None:
    """Return the kind of a field, given those before it; None for an unrecognised one."""
    if YEAR.fullmatch(text):
        return "year"
    if RUNTIME.fullmatch(text):
        return "runtime"
    if CALLED_RATING.fullmatch(text) or OUT_OF_TEN.fullmatch(text) or WITH_DECIMALS.fullmatch(text):
        return "rating"
    if is_last and WHOLE.fullmatch(text) and (int(text) <= HIGHEST or fields.keys() - {"year"}):
        return "rating"
    if WHOLE.fullmatch(text) and not 0 <= int(text) <= OLDEST:
        return None
    return "certification" if CERTIFICATION.fullmatch(text) or FOREIGN_CERTIFICATION.fullmatch(text) else None


def _rating_in(text: str) -> float | None:
    """Return the rating (0-100) of a field; None for a field such as "no rating"."""
    if match := CALLED_RATING.fullmatch(text):
        text = match[1] if match[1] is not None else match[2]
    if match := OUT_OF_TEN.fullmatch(text):
        text = match[1]
    return None if text.lower() in NOTHING else rating_in(text.replace(",", "."), 0, HIGHEST)
