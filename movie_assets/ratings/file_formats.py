"""Files of ratings, line by line: IMDb's title.ratings.tsv, a CSV of a documented shape; whether one can be believed.

A rating of nobody (0 votes) is none; a line that cannot be a rating is counted, with its reason. MovieLens, which has
votes instead of averages, is `ratings.movielens`.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from movie_assets.tmdb.export_lines import LARGEST_ID, MAX_BAD_LINES, MIN_LINES_KEPT, ExportCounts

READ_AS = "ratings-v3"  # raised when lines are read otherwise, so that a file that did not change is read again
MAX_VOTES = 10**10  # more than there are people
IMDB_HEADER = "tconst\taverageRating\tnumVotes"
IMDB_SCALE = (1.0, 10.0)
IMDB_LINE = re.compile(r"tt(\d{1,12})\t(\d{1,2}(?:\.\d{1,6})?)\t(\d{1,12})")
# A file whose ratings are unlike those of the load before is a mistake of its maker: people do not change that fast.
MIN_VOTES_TO_COMPARE = 50  # of a film in the load before: the average of fewer can move by itself
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

Films = Mapping[int, Sequence[int]]  # which films (TMDB) the number of an IMDb id means


class UnreadableFileError(Exception):
    """A file that is no file of ratings at all; the message says what it is taken for."""


@dataclass
class FileCounts(ExportCounts):
    """What reading a file found; filled while its lines are consumed. `lines` are those that could be read."""

    unrated: int = 0
    unmatched: int = 0


@dataclass(frozen=True)
class Rating:
    """What a source says of a film, on the source's own scale."""

    line: int
    tmdb_id: int
    source: str
    scale: tuple[float, float]
    raw_value: float
    votes: int
    seen_at: datetime


def imdb_number(imdb_id: str) -> int | None:
    """The number in an IMDb id, which is written with and without leading zeros."""
    found = IMDB_ID.fullmatch(imdb_id.strip())
    return int(found[1]) if found else None


def read_imdb(lines: Iterable[bytes], films: Films, counts: FileCounts, seen_at: datetime) -> Iterator[Rating]:
    """Read IMDb's daily file; ratings of titles that are no film of ours are counted and passed over.

    Raises UnreadableFileError when the first line is not IMDb's.
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
        ours = films.get(imdb_id, ())
        counts.unmatched += not ours
        for tmdb_id in ours:
            yield Rating(number, tmdb_id, "imdb", IMDB_SCALE, value, votes, seen_at)


def _imdb_line(text: str) -> tuple[int, float, int]:
    """Number of the id, average and votes of a line; an average that is not given has no votes."""
    if found := IMDB_LINE.fullmatch(text):
        imdb_id, value, votes = int(found[1]), float(found[2]), int(found[3])
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
    """Read ratings of any source: tmdb_id or imdb_id, source, scale_min, scale_max, value, votes, seen_at.

    The columns come in any order; where seen_at is missing or empty, the argument of that name takes its place, and
    `latest` is now. A quote that is never closed costs all lines that it swallows, so that they count as not read.
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
    """The ratings that a row means (none if it is about no film of ours), or None if nobody voted."""
    cells = {name: text.strip() for name, text in entry.items()}
    source = cells["source"].lower()
    if not SOURCE.fullmatch(source):
        raise ValueError("bad_source")
    if source in RESERVED:
        raise ValueError("reserved_source")
    low, high = _number(cells["scale_min"], "bad_scale"), _number(cells["scale_max"], "bad_scale")
    if not low < high:
        raise ValueError("bad_scale")
    tmdb_ids = _films_of(cells, films)
    votes = _whole(cells["votes"], "bad_votes")
    if not 0 <= votes <= MAX_VOTES:
        raise ValueError("bad_votes")
    if not votes:
        return None
    value = _number(cells["value"], "bad_value")
    if not low <= value <= high:
        raise ValueError("bad_value")
    told = _as_of(cells["seen_at"], latest) if cells.get("seen_at") else seen_at
    return [Rating(line, tmdb_id, source, (low, high), value, votes, told) for tmdb_id in tmdb_ids]


def _films_of(cells: dict[str, str], films: Films) -> Sequence[int]:
    if cells.get("tmdb_id"):
        tmdb_id = _whole(cells["tmdb_id"], "bad_id")
        if not 0 < tmdb_id <= LARGEST_ID:
            raise ValueError("bad_id")
        return [tmdb_id]
    number = imdb_number(cells.get("imdb_id", ""))
    if number is None:
        raise ValueError("bad_id")
    return films.get(number, ())


def _number(text: str, reason: str) -> float:
    """A finite number, or ValueError with the reason."""
    try:
        number = float(text)
    except ValueError:
        raise ValueError(reason) from None
    if not abs(number) <= 1e12 or "_" in text:  # noqa: PLR2004  # NaN and infinities are not; no scale goes so far
        raise ValueError(reason)
    return number


def _whole(text: str, reason: str) -> int:
    if not WHOLE_NUMBER.fullmatch(text):
        raise ValueError(reason)
    return int(text)


def _as_of(text: str, latest: datetime) -> datetime:
    """A day or moment in ISO 8601, UTC unless it says otherwise; nothing is seen in the future."""
    try:
        told = datetime.fromisoformat(text)
        told = told.replace(tzinfo=told.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("bad_time") from None
    if told > latest + timedelta(days=1):
        raise ValueError("bad_time")
    return told


def _texts(lines: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without what surrounds them; blank ones are passed over."""
    for number, raw in enumerate(lines, start=1):
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace").strip("\r\n")
        if text.strip():
            yield number, text


@dataclass(frozen=True)
class Comparison:
    """A source's ratings beside those of its last load: films that both have with enough votes, and how many moved.

    `shifted` have another value by more than MAX_SHIFT; `recounted` have lost or gained more votes than in a load.
    """

    source: str
    compared: int
    shifted: int
    recounted: int

    @property
    def reasons(self) -> list[str]:
        """Return why these ratings cannot be of the same films and voters, in sentences."""
        if self.compared < MIN_COMPARED:
            return []
        found = {
            f"moved by more than {MAX_SHIFT:g} points of 100": self.shifted,
            f"have less than {MIN_VOTE_RATIO:g} or more than {MAX_VOTE_RATIO:g} times the votes": self.recounted,
        }
        return [
            f"{films:,} of {self.compared:,} ratings of {self.source} {what} since the load before"
            for what, films in found.items()
            if films > MAX_MOVED * self.compared
        ]


def reasons_to_refuse(
    counts: FileCounts, lines_before: int | None, comparisons: Sequence[Comparison] = ()
) -> list[str]:
    """Return why a file cannot be right, in sentences; an empty list when it can be believed."""
    if counts.lines == 0:
        return ["it has no line that could be read"]
    reasons = []
    if counts.rejected > MAX_BAD_LINES * (counts.lines + counts.rejected):
        reasons.append(f"{counts.rejected:,} of its {counts.lines + counts.rejected:,} lines could not be read")
    if lines_before is not None and counts.lines < MIN_LINES_KEPT * lines_before:
        reasons.append(f"it has {counts.lines:,} lines where the load before had {lines_before:,}")
    return reasons + [reason for each in comparisons for reason in each.reasons]
