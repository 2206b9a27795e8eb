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
from typing import NamedTuple

REJECTS_KEPT = 100  # a broken file must not become a million rows
LONGEST_TITLE = 500
FIRST_YEAR, LAST_YEAR = 1870, 2200
LARGEST_ID = 2**53


class FilmName(NamedTuple):
    """A film as a file names it. `ref` is the source's own mark; it tells two films of one title and year apart."""

    title: str
    year: int | None = None
    imdb_id: str | None = None
    tmdb_id: int | None = None
    ref: str = ""


class Entry(NamedTuple):
    """One row of a file that names a film; `rating` on 0-100; `person` where the file itself tells people apart."""

    film: FilmName
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


class RowError(ValueError):
    """A row cannot be taken; the message is its reason."""


@dataclass
class Tally:
    """What reading a file found; filled while its entries are consumed."""

    file: str
    rows: int = 0
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)  # the first of them
    passed_over: Counter[str] = field(default_factory=Counter)  # rows of a kind that is no film
    dates_unread: int = 0
    is_cut: bool = False  # its end is missing

    def reject(self, line: int, reason: str, sample: object) -> None:
        """Count a row that is not taken."""
        self.rejected += 1
        if len(self.rejects) < REJECTS_KEPT:
            told = sample if isinstance(sample, str) else ",".join(map(str, sample if isinstance(sample, list) else []))
            self.rejects.append(Reject(self.file, line, reason, told[:500].replace("\x00", "\ufffd")))

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
    """The rows of a table below its header, each with the line on which it begins; bad ones are tallied.

    A row is bad when it has more or fewer cells than the header, a quote that is never closed, or NUL characters.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header = [cell.strip() for cell in next(reader, [])]
    line = reader.line_num
    while True:
        begins, row = line + 1, list[str]()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            tally.rows += 1
            tally.is_cut |= "unexpected end of data" in str(error)
            tally.reject(begins, f"cannot be read: {error}", "")
            continue
        finally:
            line = reader.line_num
        if not any(cell.strip() for cell in row):
            continue
        tally.rows += 1
        if len(row) != len(header):
            tally.reject(begins, f"has {len(row)} cells, the header has {len(header)}", row)
            tally.is_cut = len(row) < len(header)
        elif any("\x00" in cell for cell in row):
            tally.reject(begins, "has NUL characters", row)
        else:
            tally.is_cut = False  # whatever a row before it lacked, the file goes on
            yield begins, dict(zip(header, map(str.strip, row), strict=True))


def title_in(cell: str) -> str:
    """A title. Raises RowError where there is none."""
    plain = " ".join(unicodedata.normalize("NFC", cell).split())
    title = "".join(sign for sign in plain if unicodedata.category(sign) not in ("Cc", "Cs")).strip()
    if not title:
        raise RowError("has no title")
    return title[:LONGEST_TITLE]


def year_in(cell: str) -> int | None:
    """A year; None where there is none or none in which films were made."""
    found = re.fullmatch(r"(\d{4})(\.0)?", cell.strip())
    year = int(found[1]) if found else 0
    return year if FIRST_YEAR <= year <= LAST_YEAR else None


def rating_in(cell: str, lowest: float, highest: float) -> float | None:
    """A rating on 0-100 from a scale that ends at `highest`; None where the cell is empty. Raises RowError."""
    if not cell.strip():
        return None
    try:
        rating = float(cell)
    except ValueError:
        raise RowError(f"has “{cell.strip()[:40]}” for a rating") from None
    if not math.isfinite(rating) or not lowest <= rating <= highest:
        raise RowError(f"has a rating of {cell.strip()[:40]}, and ratings go from {lowest:g} to {highest:g}")
    return round(rating * 100 / highest, 2)


def date_in(cell: str, moment: datetime, tally: Tally) -> datetime | None:
    """A day as its midnight in UTC; None where there is none, or none that can be right: a later one than tomorrow."""
    if not cell.strip():
        return None
    try:
        day = date.fromisoformat(cell.strip()[:10])
    except ValueError:
        tally.dates_unread += 1
        return None
    return plausible(datetime(day.year, day.month, day.day, tzinfo=UTC), moment, tally)


def plausible(told: datetime, moment: datetime, tally: Tally) -> datetime | None:
    """A time, unless it lies before films were made or in the future."""
    if told.year < FIRST_YEAR or (told - moment).days >= 1:
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
