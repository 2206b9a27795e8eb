"""What every file of watched films comes to: films as they are named, entries, tallies; and how cells are read.

Where each format has what is in a module of its own; which films the names mean is decided in SQL.
"""

import csv
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple

REJECTS_KEPT = 100  # a broken file must not become a million rows
MAX_ROWS = 500_000  # of one file of one person; fifty years of five films a day are 91,000
MAX_COLUMNS = 200
LONGEST_TITLE = 500
FIRST_YEAR, LAST_YEAR = 1870, 2200
LARGEST_ID = 2**53


class MovieName(NamedTuple):
    """A film as a file names it. `ref` is the source's own mark; it tells two films of one title and year apart."""

    title: str
    year: int | None = None
    imdb_id: str | None = None
    tmdb_id: int | None = None
    ref: str = ""


class Entry(NamedTuple):
    """One row of a file that names a film; `rating` on 0-100; `person` where the file itself tells people apart."""

    film: MovieName
    line: int
    is_wanted: bool = False
    rating: float | None = None
    seen_at: datetime | None = None
    person: str | None = None


@dataclass(frozen=True)
class Reject:
    """A row that was not taken, and why."""

    file: str
    line: int
    reason: str
    sample: str


class SeriesEntry(NamedTuple):
    """One row of a file that names a series, a season or an episode. The ids are the series', but IMDb's the episode's.

    The catalogue has no series yet: these rows are stored as they are, for the day on which it has.
    """

    kind: Literal["series", "season", "episode"]
    line: int
    title: str
    year: int | None = None
    imdb_id: str | None = None
    tmdb_id: int | None = None
    tvdb_id: int | None = None
    season: int | None = None
    episode: int | None = None
    is_wanted: bool = False
    rating: float | None = None
    seen_at: datetime | None = None

    @property
    def key(self) -> str:
        """What tells one series, season or episode of a file from another."""
        ids = (("imdb", self.imdb_id), ("tmdb", self.tmdb_id), ("tvdb", self.tvdb_id))
        whose = next((f"{name}:{value}" for name, value in ids if value), f"{self.title} ({self.year})")
        return f"{self.kind} {whose} {self.season} {self.episode}"


class RowError(ValueError):
    """A row cannot be taken; the message is its reason."""


class TooLargeError(ValueError):
    """A file has more rows or columns than a history of one person can have; the message names the limit."""


@dataclass
class Tally:
    """The counts of reading a file, with the first rows of each kind; filled while its entries are consumed."""

    file: str
    lines_before: int = 0  # the table's header
    max_rows: int = MAX_ROWS
    rows: int = 0
    taken: int = 0  # rows that became an entry
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)  # rows that are no film, by kind
    assumed: Counter[str] = field(default_factory=Counter)  # rows that were taken by a guess, by the guess
    remarks: list[Reject] = field(default_factory=list)  # rows that were passed over or taken by a guess
    dates_unread: int = 0
    is_cut: bool = False  # its end is missing

    def count_row(self) -> None:
        """Count a row of the file. Raises TooLargeError beyond the limit."""
        self.rows += 1
        if self.rows > self.max_rows:
            raise TooLargeError(f"{self.file} has more than {self.max_rows:,} rows, which no history of one person has")

    def reject(self, line: int, reason: str, sample: object) -> None:
        """Count a row that is not taken."""
        self.rejected += 1
        self._keep(self.rejects, line, reason, sample)

    def pass_over(self, line: int, kind: str, sample: object) -> None:
        """Count a row that is no film: a game, a person, a description."""
        self.passed_over[kind] += 1
        self._keep(self.remarks, line, f"passed over: {kind}", sample)

    def assume(self, line: int, guess: str, sample: object) -> None:
        """Count a row that is taken although the file does not say all that it means; `guess` says what was taken."""
        self.assumed[guess] += 1
        self._keep(self.remarks, line, guess, sample)

    def _keep(self, rows: list[Reject], line: int, reason: str, sample: object) -> None:
        if len(rows) < REJECTS_KEPT:
            text = sample if isinstance(sample, str) else ",".join(map(str, sample if isinstance(sample, list) else []))
            rows.append(Reject(self.file, line, reason, text[:500].replace("\x00", "\ufffd")))

    @property
    def is_whole(self) -> bool:
        """Whether everything that the file has was read, so that what it lacks is known to be gone."""
        return not self.is_cut and not self.rejected


def decoded(body: bytes) -> str:
    """A file's text: UTF-8, UTF-16 with its mark, or else Windows-1252, in which older exports are written.

    Text of which some bytes are damaged (a file cut within a letter) is UTF-8 if more of its letters are than are not.
    """
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", errors="replace")
    text = body.decode("utf-8-sig", errors="replace")
    damaged = text.count("\ufffd")
    if 2 * damaged > sum(not letter.isascii() for letter in text):
        return body.decode("cp1252", errors="replace")
    return text


def delimiter_of(header: str) -> str:
    """What divides the columns of a header: spreadsheets save commas as semicolons or tabs in some countries."""
    return max(",;\t", key=header.count)


def read_table(lines: Iterable[str], tally: Tally, delimiter: str = ",") -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows below a table's header, each with the line on which it begins; count and reject the bad ones.

    Empty cells at the end of a row, too many or too few, are no reason to reject it: spreadsheets add and drop them. A
    row is bad when it has further cells with content, a quote that is never closed, or NUL characters. The last row of
    a file that does not end with a newline is bad when it has fewer cells than any row before it: the file was cut.
    Raises TooLargeError when there are more rows than `tally.max_rows` or more than MAX_COLUMNS columns.
    """
    watched = _LastLine(lines)
    reader = csv.reader(watched, delimiter=delimiter, strict=True)
    header = _without_empty_end([cell.strip() for cell in next(reader, [])])
    if len(header) > MAX_COLUMNS:
        raise TooLargeError(f"{tally.file} has {len(header):,} columns; at most {MAX_COLUMNS} are read")
    shortest = len(header)
    line = reader.line_num + tally.lines_before
    while True:
        begins, row = line + 1, list[str]()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            tally.count_row()
            tally.is_cut |= "unexpected end of data" in str(error)
            tally.reject(begins, f"cannot be read: {error}", "")
            continue
        finally:
            line = reader.line_num + tally.lines_before
        if not any(cell.strip() for cell in row):
            continue
        tally.count_row()
        if len(_without_empty_end(row)) > len(header):
            tally.reject(begins, f"has {len(row)} cells, the header has {len(header)}", row)
        elif len(row) < shortest and not watched.ends_with_newline:
            tally.reject(begins, f"has {len(row)} cells, the header has {len(header)}, and the file ends in it", row)
            tally.is_cut = True
        elif any("\x00" in cell for cell in row):
            tally.reject(begins, "has NUL characters", row)
        else:
            tally.is_cut = False
            shortest = min(shortest, len(row))
            cells = [cell.strip() for cell in row[: len(header)]]
            yield begins, dict(zip(header, cells + [""] * (len(header) - len(cells)), strict=True))


class _LastLine:
    """Lines as they come; remembers whether the line that was handed out last ends with a newline."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.ends_with_newline = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.ends_with_newline = line.endswith(("\n", "\r"))
        return line


def _without_empty_end(cells: list[str]) -> list[str]:
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def title_in(cell: str) -> str:
    """A title. Raises RowError where there is none."""
    plain = " ".join(unicodedata.normalize("NFC", cell).split())
    title = "".join(sign for sign in plain if unicodedata.category(sign) not in ("Cc", "Cs")).strip()
    if not title:
        raise RowError("has no title")
    return title[:LONGEST_TITLE]


def year_in(cell: str) -> int | None:
    """A year; None where there is none or none in which films were made."""
    found = re.fullmatch(r"(\d{4})([.,]0+)?", cell.strip())
    year = int(found[1]) if found else 0
    return year if FIRST_YEAR <= year <= LAST_YEAR else None


def rating_in(cell: str, lowest: float, highest: float) -> float | None:
    """A rating on 0-100 from a scale that ends at `highest`; None where the cell is empty. Raises RowError.

    A comma is a decimal comma, as in 4,5: no scale has thousands.
    """
    if not cell.strip():
        return None
    try:
        rating = float(re.sub(r"(?<=\d),(?=\d)", ".", cell))
    except ValueError:
        raise RowError(f"has “{cell.strip()[:40]}” for a rating") from None
    if not math.isfinite(rating) or not lowest <= rating <= highest:
        raise RowError(f"has a rating of {cell.strip()[:40]}, and ratings go from {lowest:g} to {highest:g}")
    return round(rating * 100 / highest, 2)


# Dates as exports and spreadsheets write them. Not 03/02/2024, which is February in one country and March in another.
DATE_FORMATS = ("%d.%m.%Y", "%Y/%m/%d", "%a %b %d %H:%M:%S %Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")


def date_in(cell: str, as_of: datetime, tally: Tally) -> datetime | None:
    """Return a day as its midnight in UTC; None without a day, or for one that is later than tomorrow."""
    text = " ".join(cell.split())
    if not text:
        return None
    try:
        day = _day_in(text)
    except ValueError:
        tally.dates_unread += 1
        return None
    return plausible(datetime(day.year, day.month, day.day, tzinfo=UTC), as_of, tally)


def _day_in(text: str) -> date:
    """Parse a date in one of the known forms. Raises ValueError."""
    if re.match(r"\d{4}-\d\d-\d\d", text):
        return date.fromisoformat(text[:10])
    for form in DATE_FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise ValueError(text)


def time_in(value: object, as_of: datetime, tally: Tally) -> datetime | None:
    """Return an ISO 8601 time such as 2024-03-05T11:00:00.000Z; None without one, or for one that cannot be right."""
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
    except ValueError:
        tally.dates_unread += 1
        return None
    return plausible(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC), as_of, tally)


def plausible(told: datetime, as_of: datetime, tally: Tally) -> datetime | None:
    """A time, unless it lies before films were made or in the future."""
    if told.year < FIRST_YEAR or (told - as_of).days >= 1:
        tally.dates_unread += 1
        return None
    return told


def imdb_id_in(cell: str) -> str | None:
    """An id such as tt0133093, from that form or its digits; None where the cell is empty. Raises RowError."""
    digits = cell.strip().removeprefix("tt")
    if not digits:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", digits) or not int(digits):
        raise RowError(f"has “{cell.strip()[:40]}” for an IMDb id")
    return f"tt{int(digits):07}"


def tmdb_id_in(cell: str) -> int | None:
    """A TMDB id; None where the cell is empty. Raises RowError."""
    text = cell.strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,16}", text) or not 0 < int(text) <= LARGEST_ID:
        raise RowError(f"has “{text[:40]}” for a TMDB id")
    return int(text)
