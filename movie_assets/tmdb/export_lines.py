"""TMDB's daily ID export: its lines, and the rules for a plausible load.

`tmdb.export` downloads the file; the asset stores its lines.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from movie_assets.tmdb.json_values import read_flag
from movie_assets.tmdb.media import MOVIES, MediaType

MAX_BAD_LINES = 0.01  # share; TMDB writes single broken lines, a broken file has more
MIN_LINES_KEPT = 0.9  # share of the load before; TMDB grows, and never lost a tenth in a day
MAX_MEDIAN_MOVES = 10.0  # factor; TMDB once divided its whole scale by about seven
LARGEST_ID = 999_999_999  # of a movie; keys of series in the database begin above it
HIGHEST_POPULARITY = 1e9  # TMDB's is in the thousands; a higher one is not plausible
FLAGS = ("adult", "video", "softcore")
MAX_UNREADABLE_IDS = 100_000  # a file with more of them is refused
# A whole number up to a comma or brace: a number that is cut names another id.
ID_IN_TEXT = re.compile(r'"id"\s*:\s*"?\s*(\d{1,16})(?:\.0+)?\s*"?\s*[,}]')


@dataclass(frozen=True)
class ExportLine:
    """One id as the export lists it; a flag that the media type does not have is false."""

    tmdb_id: int
    original_title: str
    popularity: float
    adult: bool
    video: bool
    softcore: bool


@dataclass
class ExportCounts:
    """Counts of an export's lines; they are complete when the lines were consumed."""

    lines: int = 0
    rejected: int = 0
    repaired: int = 0  # lines with an implausible popularity, which is read as 0
    without_flags: int = 0  # of the rejected lines
    unidentified: int = 0  # rejected lines without a readable id
    unreadable_ids: set[int] = field(default_factory=set)  # of the other rejected lines: TMDB still has these ids
    samples: list[tuple[str, str]] = field(default_factory=list)  # (reason, line) of the first rejected lines

    def start_again(self) -> None:
        """Set all counts to zero, before the same lines are read again from the beginning."""
        self.lines = self.rejected = self.repaired = self.without_flags = self.unidentified = 0
        self.unreadable_ids.clear()
        self.samples.clear()

    def reject(self, reason: str, line: str, tmdb_ids: Iterable[int] = ()) -> None:
        """Count a line that cannot be used; `tmdb_ids` are the ids that it may have."""
        self.rejected += 1
        self.without_flags += reason == "no_flag"
        ids = set(tmdb_ids)
        if ids and len(self.unreadable_ids) + len(ids) <= MAX_UNREADABLE_IDS:
            self.unreadable_ids |= ids
        else:
            self.unidentified += 1
        if len(self.samples) < 100:  # noqa: PLR2004  # a broken file must not cause a million rows
            self.samples.append((reason, line[:500].replace("\x00", "")))


def read_lines(lines: Iterable[bytes], counts: ExportCounts, media: MediaType = MOVIES) -> Iterator[ExportLine]:
    """Parse an export's lines one by one, in constant memory. Blank lines are skipped, bad ones are counted."""
    for raw in lines:
        text = raw.decode("utf-8", errors="replace").strip().removeprefix("\ufeff")
        if not text:
            continue
        try:
            line, is_repaired = _read_line(text, media)
        except ValueError as error:
            counts.reject(str(error), text, ids_in(text))
            continue
        counts.lines += 1
        counts.repaired += is_repaired
        yield line


def _read_line(text: str, media: MediaType) -> tuple[ExportLine, bool]:
    try:
        entry: object = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise ValueError("not_json") from None
    if not isinstance(entry, dict):
        raise ValueError("not_an_object")  # noqa: TRY004  # one kind of error for all bad lines
    tmdb_id = entry.get("id")
    if not isinstance(tmdb_id, int) or isinstance(tmdb_id, bool) or not 0 < tmdb_id <= LARGEST_ID:
        raise ValueError("bad_id")
    if any(flag not in entry for flag in media.export_flags):
        raise ValueError("no_flag")
    flags = {flag: read_flag(entry.get(flag, False)) for flag in FLAGS}
    if None in flags.values():
        raise ValueError("bad_flag")
    popularity = _popularity(entry.get("popularity"))
    title = entry.get(media.export_title)
    line = ExportLine(
        tmdb_id=tmdb_id,
        original_title=_storable(title)[:500] if isinstance(title, str) else "",
        popularity=popularity or 0.0,
        adult=flags["adult"] is True,
        video=flags["video"] is True,
        softcore=flags["softcore"] is True,
    )
    return line, popularity is None


def _popularity(value: object) -> float | None:
    """Return a plausible popularity; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= HIGHEST_POPULARITY:
        return None
    return float(value)


def ids_in(text: str) -> list[int]:
    """Return the ids that an unreadable line may have, also one in quotes; none when the id is cut or missing."""
    return [tmdb_id for digits in ID_IN_TEXT.findall(text) if 0 < (tmdb_id := int(digits)) <= LARGEST_ID]


def _storable(title: str) -> str:
    return title.replace("\x00", "").encode("utf-8", "replace").decode()


@dataclass(frozen=True)
class LoadBefore:
    """The load that an export is compared with; `kept` is the number of its ids that the new one lists, too."""

    lines: int
    kept: int | None  # None when its ids are no longer stored
    median_popularity: float | None


def reasons_to_refuse(
    lines: int,
    rejected: int,
    median_popularity: float | None = None,
    before: LoadBefore | None = None,
    *,
    without_flags: int = 0,
) -> list[str]:
    """Return the reasons why an export cannot be right, as sentences; an empty list for a plausible one."""
    reasons = []
    if without_flags > MAX_BAD_LINES * (lines + rejected):
        reasons.append(f"no adult/video flags in {without_flags:,} of its {lines + rejected:,} lines")
    elif lines == 0:
        reasons.append("it has no line that could be read")
    elif rejected > MAX_BAD_LINES * (lines + rejected):
        reasons.append(f"{rejected:,} of its {lines + rejected:,} lines could not be read")
    if before is None or lines == 0:
        return reasons
    if lines < MIN_LINES_KEPT * before.lines:
        reasons.append(f"it has {lines:,} lines where the load before had {before.lines:,}")
    elif before.kept is not None and before.kept < MIN_LINES_KEPT * before.lines:
        reasons.append(f"it lists {before.kept:,} of the {before.lines:,} ids of the load before")
    if median_popularity is not None and before.median_popularity:
        ratio = median_popularity / before.median_popularity
        if not 1 / MAX_MEDIAN_MOVES <= ratio <= MAX_MEDIAN_MOVES:
            reasons.append(
                f"its median popularity is {median_popularity:g} where the load before had {before.median_popularity:g}"
            )
    return reasons
