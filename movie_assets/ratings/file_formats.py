"""Parsers for files of ratings, line by line, and the rules by which a file is refused.

The formats are IMDb's title.ratings.tsv and a CSV with documented columns. A line with 0 votes is no rating. A line
that cannot be a rating is counted with its reason. MovieLens, whose files have single votes, is `ratings.movielens`.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from movie_assets.tmdb.export_lines import LARGEST_ID, MAX_BAD_LINES, MIN_LINES_KEPT, ExportCounts

READ_AS = "ratings-v3"  # raised when the parsers change, so that a file that did not change is read again
MAX_VOTES = 10**10  # more than there are people
IMDB_HEADER = "tconst\taverageRating\tnumVotes"
IMDB_SCALE = (1.0, 10.0)
IMDB_LINE = re.compile(r"tt(\d{1,12})\t(\d{1,2}(?:\.\d{1,6})?)\t(\d{1,12})")
# A file whose ratings differ much from those of the previous load is a mistake: people do not change so fast.
MIN_VOTES_TO_COMPARE = 50  # of a film in the previous load: the average of fewer can move by itself
MIN_COMPARED = 20  # films
MAX_MOVED = 0.1  # share of them
MAX_SHIFT = 10.0  # points of 100
MIN_VOTE_RATIO, MAX_VOTE_RATIO = 0.7, 2.0
NULL = r"\N"
IMDB_ID = re.compile(r"(?:tt)?(\d{1,12})")
CSV_COLUMNS = ("source", "scale_min", "scale_max", "value", "votes")
CSV_IDS = ("tmdb_id", "imdb_id")
SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
RESERVED = ("tmdb", "imdb", "movielens")
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")

Films = Mapping[int, Sequence[int]]  # TMDB ids by the number of the IMDb id


class UnreadableFileError(Exception):
    """A file is refused because its content is no list of ratings, or not a believable one. The message says why."""


@dataclass
class FileCounts(ExportCounts):
    """Line counts of a file, filled while its lines are consumed. `lines` are the lines that could be parsed.

    `unrated` lines have no votes. `unmatched` lines are about films that are not in the catalogue.
    """

    unrated: int = 0
    unmatched: int = 0


@dataclass(frozen=True)
class Rating:
    """A source's average and votes for a film, on the source's own scale (lowest and highest value)."""

    line: int
    title_id: int
    source: str
    scale: tuple[float, float]
    raw_value: float
    votes: int
    seen_at: datetime


def imdb_number(imdb_id: str) -> int | None:
    """Return the number of an IMDb id, with or without "tt" and leading zeros; None for any other text."""
    match = IMDB_ID.fullmatch(imdb_id.strip())
    return int(match[1]) if match else None


def read_imdb(lines: Iterable[bytes], films: Films, counts: FileCounts, seen_at: datetime) -> Iterator[Rating]:
    """Yield the ratings of IMDb's daily file that are about films in `films`; the others are counted as unmatched.

    Raises UnreadableFileError when the first line is not IMDb's header.
    """
    texts = _texts(lines)
    _, header = next(texts, (0, ""))
    if header != IMDB_HEADER:
        raise UnreadableFileError(f"it is no title.ratings.tsv: its first line is {header[:80]!r}, not {IMDB_HEADER!r}")
    for number, text in texts:
        try:
            imdb_id, value, votes = _imdb_line(text)
        except ValueError as error:
            counts.reject(str(error), text)
            continue
        counts.lines += 1
        if not votes:
            counts.unrated += 1
            continue
        title_ids = films.get(imdb_id, ())
        counts.unmatched += not title_ids
        for title_id in title_ids:
            yield Rating(number, title_id, "imdb", IMDB_SCALE, value, votes, seen_at)


def _imdb_line(text: str) -> tuple[int, float, int]:
    """Return the number of the IMDb id, the average and the votes of a line; 0 votes where the average is null.

    Raises ValueError with the reason for which the line is rejected.
    """
    if match := IMDB_LINE.fullmatch(text):
        imdb_id, value, votes = int(match[1]), float(match[2]), int(match[3])
        if votes and not IMDB_SCALE[0] <= value <= IMDB_SCALE[1]:
            raise ValueError("bad_value")
        if votes > MAX_VOTES:
            raise ValueError("bad_votes")
        return imdb_id, value, votes
    parts = text.split("\t")
    if len(parts) != len(IMDB_HEADER.split("\t")):
        raise ValueError("bad_line")
    number = imdb_number(parts[0]) if parts[0].startswith("tt") else None
    if number is None:
        raise ValueError("bad_id")
    if parts[1] == NULL or parts[2] in (NULL, "0"):
        return number, 0.0, 0
    raise ValueError("bad_votes" if IMDB_LINE.fullmatch(f"{parts[0]}\t{parts[1]}\t1") else "bad_value")


def read_csv(
    lines: Iterable[bytes], films: Films, counts: FileCounts, seen_at: datetime, latest: datetime
) -> Iterator[Rating]:
    """Yield ratings of any source: tmdb_id or imdb_id, source, scale_min, scale_max, value, votes, seen_at.

    The columns may come in any order. The argument `seen_at` is used where that column is missing or empty; `latest` is
    the current time. All lines within a quote that is never closed count as rejected.
    Raises UnreadableFileError when the first line does not name the columns.
    """
    reader = csv.reader((text for _, text in _texts(lines)), strict=True)
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
    except csv.Error as error:
        raise UnreadableFileError(f"its first line must name the columns; it cannot be read: {error}") from None
    missing = [name for name in CSV_COLUMNS if name not in columns]
    if missing or not set(CSV_IDS).intersection(columns):
        needed = ", ".join([*missing, *([] if set(CSV_IDS).intersection(columns) else [" or ".join(CSV_IDS)])])
        raise UnreadableFileError(f"its first line must name the columns; there is no {needed}")
    while True:
        before, row = reader.line_num, list[str]()
        try:
            row = next(reader)
            if len(row) != len(columns):
                raise ValueError("bad_line")  # noqa: TRY301  # one way out for all bad lines
            ratings = _csv_row(dict(zip(columns, row, strict=True)), films, reader.line_num, seen_at, latest)
        except StopIteration:
            return
        except (csv.Error, ValueError) as error:
            counts.reject("bad_line" if isinstance(error, csv.Error) else str(error), ",".join(row))
            counts.rejected += reader.line_num - before - 1
            continue
        counts.lines += 1
        if ratings is None:
            counts.unrated += 1
            continue
        counts.unmatched += not ratings
        yield from ratings


def _csv_row(
    entry: dict[str, str], films: Films, line: int, seen_at: datetime, latest: datetime
) -> list[Rating] | None:
    """Return the ratings of a row, an empty list if its film is not in the catalogue, or None if it has no votes.

    Raises ValueError with the reason for which the row is rejected.
    """
    cells = {name: text.strip() for name, text in entry.items()}
    source = cells["source"].lower()
    if not SOURCE.fullmatch(source):
        raise ValueError("bad_source")
    if source in RESERVED:
        raise ValueError("reserved_source")
    low, high = _number(cells["scale_min"], "bad_scale"), _number(cells["scale_max"], "bad_scale")
    if not low < high:
        raise ValueError("bad_scale")
    title_ids = _films_of(cells, films)
    votes = _whole(cells["votes"], "bad_votes")
    if not 0 <= votes <= MAX_VOTES:
        raise ValueError("bad_votes")
    if not votes:
        return None
    value = _number(cells["value"], "bad_value")
    if not low <= value <= high:
        raise ValueError("bad_value")
    rated_at = _time_in(cells["seen_at"], latest) if cells.get("seen_at") else seen_at
    return [Rating(line, title_id, source, (low, high), value, votes, rated_at) for title_id in title_ids]


def _films_of(cells: dict[str, str], films: Films) -> Sequence[int]:
    """Return the TMDB ids of a row. Raises ValueError when it has no valid id."""
    if cells.get("tmdb_id"):
        title_id = _whole(cells["tmdb_id"], "bad_id")
        if not 0 < title_id <= LARGEST_ID:
            raise ValueError("bad_id")
        return [title_id]
    number = imdb_number(cells.get("imdb_id", ""))
    if number is None:
        raise ValueError("bad_id")
    return films.get(number, ())


def _number(text: str, reason: str) -> float:
    """Return the finite number in a text. Raises ValueError with the reason."""
    try:
        number = float(text)
    except ValueError:
        raise ValueError(reason) from None
    if not abs(number) <= 1e12 or "_" in text:  # noqa: PLR2004  # also rejects NaN and infinities
        raise ValueError(reason)
    return number


def _whole(text: str, reason: str) -> int:
    """Return the whole number in a text. Raises ValueError with the reason."""
    if not WHOLE_NUMBER.fullmatch(text):
        raise ValueError(reason)
    return int(text)


def _time_in(text: str, latest: datetime) -> datetime:
    """Parse a day or time in ISO 8601, in UTC without an offset. Raises ValueError, also for a time after tomorrow."""
    try:
        time = datetime.fromisoformat(text)
        time = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("bad_time") from None
    if time > latest + timedelta(days=1):
        raise ValueError("bad_time")
    return time


def _texts(lines: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Yield the decoded lines that are not blank, without line ends, with their numbers from 1."""
    for number, raw in enumerate(lines, start=1):
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace").strip("\r\n")
        if text.strip():
            yield number, text


class Comparison(NamedTuple):
    """The ratings of a source in a new file compared with its stored ones, over the films with enough stored votes.

    `shifted` films differ by more than MAX_SHIFT points. `recounted` films lost or gained more votes than is usual
    between two loads.
    """

    source: str
    compared: int
    shifted: int
    recounted: int

    @property
    def reasons(self) -> list[str]:
        """Return the reasons for which these ratings cannot be of the same films and voters; empty without one."""
        if self.compared < MIN_COMPARED:
            return []
        changes = {
            f"moved by more than {MAX_SHIFT:g} points of 100": self.shifted,
            f"have less than {MIN_VOTE_RATIO:g} or more than {MAX_VOTE_RATIO:g} times the votes": self.recounted,
        }
        return [
            f"{films:,} of {self.compared:,} ratings of {self.source} {change} since the previous load"
            for change, films in changes.items()
            if films > MAX_MOVED * self.compared
        ]


def reasons_to_refuse(
    counts: FileCounts, lines_before: int | None, comparisons: Sequence[Comparison] = ()
) -> list[str]:
    """Return the reasons for which a file is refused; an empty list for a believable one."""
    if counts.lines == 0:
        return ["it has no line that could be read"]
    reasons = []
    if counts.rejected > MAX_BAD_LINES * (counts.lines + counts.rejected):
        reasons.append(f"{counts.rejected:,} of its {counts.lines + counts.rejected:,} lines could not be read")
    if lines_before is not None and counts.lines < MIN_LINES_KEPT * lines_before:
        reasons.append(f"it has {counts.lines:,} lines where the previous load had {lines_before:,}")
    return reasons + [reason for comparison in comparisons for reason in comparison.reasons]
