"""Models of TMDB's responses: details of a movie, an export, an entry of a list, counts of calls, and errors.

`tmdb.client` makes the calls; `tmdb.movies` reads the details.
"""

import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import IO

import numpy as np

from movie_assets.tmdb.json_values import JsonObject


class TmdbError(Exception):
    """TMDB cannot be used; the message says why and what to do."""


class CredentialRefusedError(TmdbError):
    """TMDB does not accept the token, so that no call can succeed."""


class RequestRefusedError(TmdbError):
    """TMDB rejects the request as wrong: a defect of this code, which is never retried."""


class TmdbUnavailableError(TmdbError):
    """TMDB is down, or asks for a longer pause than a run may wait."""


class ExportMissingError(TmdbError):
    """TMDB has no export of the day."""


class ExportDamagedError(TmdbError):
    """Every download of the export was damaged."""


@dataclass(frozen=True)
class Fetched:
    """A title's details as TMDB sent them; a series has further seasons beside those of the first response."""

    tmdb_id: int
    body: JsonObject


@dataclass(frozen=True)
class NotFound:
    """TMDB does not have a title of this id, or no longer has it."""

    tmdb_id: int


@dataclass(frozen=True)
class Failed:
    """No attempt got a usable response; a later run tries the id again."""

    tmdb_id: int
    reason: str
    sample: str


TmdbResponse = Fetched | NotFound | Failed


@dataclass(frozen=True)
class Export:
    """A day's export in a temporary file, which exists as long as the `with` block."""

    url: str
    source: str  # "tmdb", or "stand-in" and the name of its world
    file: IO[bytes]

    def lines(self) -> Iterator[bytes]:
        """Yield the export's lines, decompressed as they are read."""
        self.file.seek(0)
        with gzip.open(self.file) as unpacked:
            yield from unpacked


@dataclass(frozen=True)
class ListedMovie:
    """A title as TMDB's lists show it; the average vote is 0 to 10, None when the list has none."""

    tmdb_id: int
    vote_count: int
    vote_average: float | None
    release_date: date | None
    original_language: str | None


@dataclass
class CallsOfAKind:
    """Calls to one endpoint with the same outcome: the seconds of each, decoded bytes, and seconds of waiting."""

    seconds: list[float] = field(default_factory=list)
    bytes: int = 0
    retries: int = 0
    seconds_waited: float = 0.0

    def record_retry(self, seconds: float) -> None:
        """Count a call that is made again after a wait of so many seconds."""
        self.retries += 1
        self.seconds_waited += seconds


@dataclass
class CallCounts:
    """Counts of the calls of one session, by endpoint and HTTP status (or the name of the failure)."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    kinds: defaultdict[tuple[str, str], CallsOfAKind] = field(default_factory=lambda: defaultdict(CallsOfAKind))

    def count(self, endpoint: str, status: str, seconds: float, size: int, waited: float) -> CallsOfAKind:
        """Count one response or failure; return its kind, so that the caller can add retries and waits."""
        kind = self.kinds[endpoint, status]
        kind.seconds.append(seconds)
        kind.bytes += size
        kind.seconds_waited += waited
        return kind

    @property
    def by_status(self) -> dict[str, int]:
        """Return the number of calls by status."""
        counts: Counter[str] = Counter()
        for (_, status), kind in self.kinds.items():
            counts[status] += len(kind.seconds)
        return dict(counts)

    def table(self) -> list[dict[str, str | int | float]]:
        """Return a row for each kind, as in pipeline.api_calls; latencies are in milliseconds."""
        return [
            {
                "endpoint": endpoint,
                "status": status,
                "calls": len(kind.seconds),
                "bytes": kind.bytes,
                "p50_ms": round(1000 * float(np.percentile(kind.seconds, 50)), 1),
                "p95_ms": round(1000 * float(np.percentile(kind.seconds, 95)), 1),
                "max_ms": round(1000 * max(kind.seconds), 1),
                "retries": kind.retries,
                "seconds_waited": round(kind.seconds_waited, 3),
            }
            for (endpoint, status), kind in sorted(self.kinds.items())
        ]


def endpoint_of(path: str) -> str:
    """Return the name under which calls of a path are counted: movie, tv, season, changes, lists, discover, find."""
    match path.split("/")[1:]:
        case ["trending", *_]:
            return "lists"
        case ["movie" | "tv", name] if name[0].isalpha():
            return name if name == "changes" else "lists"
        case [_, _, part, *_]:
            return part
        case [first, *_]:
            return first
    raise ValueError(f"{path} is no path of TMDB")
