"""The common result of reading a file of watched films: names of movies, entries and tallies; and a reader of tables.

Each format has a module of its own. Names are matched with movies in SQL.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

REJECTS_KEPT = 100  # a broken file must not become a million rows
MAX_ROWS = 500_000  # of one file of one person; fifty years of five films a day are 91,000
MAX_COLUMNS = 200
HEADER_BYTES = 40  # of a file, in which every format has ASCII letters only


class MovieName(NamedTuple):
    """A movie as a file names it. `ref` is the source's own mark, by which movies of one title and year differ."""

    title: str
    year: int | None = None
    imdb_id: str | None = None
    tmdb_id: int | None = None
    ref: str = ""


class Entry(NamedTuple):
    """One row of a file that names a movie. `rating` is on 0-100. `person` is set if the file has several people."""

    movie: MovieName
    line: int
    is_wanted: bool = False
    rating: float | None = None
    seen_at: datetime | None = None
    person: str | None = None


@dataclass(frozen=True)
class Reject:
    """A row that was rejected, or taken with an assumption, with the reason."""

    file: str
    line: int
    reason: str
    sample: str


class SeriesEntry(NamedTuple):
    """One row of a file that names a series, a season or an episode.

    The ids are the series', but IMDb's files have that of the episode; `tmdb_episode_id` is TMDB's of the episode.
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
    tmdb_episode_id: int | None = None

    @property
    def key(self) -> str:
        """Return a text that identifies the series, season or episode within a file."""
        ids = (("imdb", self.imdb_id), ("tmdb", self.tmdb_id), ("tvdb", self.tvdb_id))
        series = next((f"{name}:{value}" for name, value in ids if value), f"{self.title} ({self.year})")
        return f"{self.kind} {series} {self.season} {self.episode}"


class RowError(ValueError):
    """A row is rejected. The message is the reason."""


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
        """Count a rejected row, and store it as a sample up to the limit."""
        self.rejected += 1
        self._keep(self.rejects, line, reason, sample)

    def pass_over(self, line: int, kind: str, sample: object) -> None:
        """Count a row that is no film, such as a game, a person or a description."""
        self.passed_over[kind] += 1
        self._keep(self.remarks, line, f"passed over: {kind}", sample)

    def assume(self, line: int, guess: str, sample: object) -> None:
        """Count a row that is taken with an assumption; `guess` describes the assumption."""
        self.assumed[guess] += 1
        self._keep(self.remarks, line, guess, sample)

    def _keep(self, rows: list[Reject], line: int, reason: str, sample: object) -> None:
        if len(rows) < REJECTS_KEPT:
            text = sample if isinstance(sample, str) else ",".join(map(str, sample if isinstance(sample, list) else []))
            rows.append(Reject(self.file, line, reason, text[:500].replace("\x00", "\ufffd")))

    @property
    def is_whole(self) -> bool:
        """Return whether the whole file was read, so that entries it lacks were deleted by the person."""
        return not self.is_cut and not self.rejected


def decoded(content: bytes) -> str:
    """Return a file's text: UTF-8, UTF-16 with or without its mark, or else Windows-1252, of older exports.

    A text with damaged bytes (a file cut within a letter) is UTF-8 if most of its letters beyond ASCII are valid.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(content) > 1 and not any(content[first:HEADER_BYTES:2]):
            return content.decode(encoding, errors="replace")
    text = content.decode("utf-8-sig", errors="replace")
    damaged = text.count("\ufffd")
    if 2 * damaged > sum(not letter.isascii() for letter in text):
        return content.decode("cp1252", errors="replace")
    return text


def delimiter_of(header: str) -> str:
    """Return the delimiter of a header. Spreadsheets of some countries save semicolons or tabs instead of commas."""
    return max(",;\t|", key=header.count)


def read_table(lines: Iterable[str], tally: Tally, delimiter: str = ",") -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows below a table's header, each with the line on which it begins; count and reject invalid rows.

    Missing or additional empty cells at the end of a row do not reject it: spreadsheets add and drop them. A row is
    rejected when it has additional cells with content, a quote that is never closed, or NUL characters. The last row of
    a file without a final newline is rejected when it has fewer cells than any row before it: the file was cut. A
    quoted cell that contains quotes is read without them if the row then has as many cells as the header.
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
            row = _with_stray_quotes(watched.last, delimiter) if reader.line_num + tally.lines_before == begins else []
            if len(row) != len(header):
                tally.count_row()
                tally.is_cut |= "unexpected end of data" in str(error)
                tally.reject(begins, f"cannot be read: {error}", "")
                continue
            tally.assume(begins, "quotes within quotes: the row was read without them", row)
        finally:
            line = reader.line_num + tally.lines_before
        if not any(cell.strip() for cell in row):
            continue
        tally.count_row()
        if len(_without_empty_end(row)) > len(header):
            tally.reject(begins, f"has {len(row)} cells, the header has {len(header)}", row)
        elif len(row) < shortest and not watched.ends_with_newline and tally.rows > 1:
            tally.reject(begins, f"has {len(row)} cells, the header has {len(header)}, and the file ends in it", row)
            tally.is_cut = True
        elif any("\x00" in cell for cell in row):
            tally.reject(begins, "has NUL characters", row)
        else:
            tally.is_cut = len(row) < shortest and not watched.ends_with_newline
            shortest = min(shortest, len(row))
            cells = [cell.strip() for cell in row[: len(header)]]
            yield begins, dict(zip(header, cells + [""] * (len(header) - len(cells)), strict=True))


class _LastLine:
    """An iterator over lines that keeps the last one it returned."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.last = next(self._lines)
        return self.last

    @property
    def ends_with_newline(self) -> bool:
        return self.last.endswith(("\n", "\r")) or not self.last


def _with_stray_quotes(line: str, delimiter: str) -> list[str]:
    """Return the cells, without any quotes, of a line with a quoted cell that contains quotes."""
    cells = next(csv.reader([line.replace('\\"', "")], delimiter=delimiter))
    return [cell.replace('"', "") for cell in cells]


def _without_empty_end(cells: list[str]) -> list[str]:
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]
