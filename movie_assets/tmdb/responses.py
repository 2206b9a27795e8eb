"""What comes back from TMDB: answers for a film, an export, counts, and the ways in which it cannot be used.

How they are got over HTTP is `tmdb.client`; what an answer means for a film, `catalog.eligibility`.
"""

import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import IO, Any

import numpy as np


class TmdbError(Exception):
    """TMDB cannot be used; the message says why and what to do."""


class CredentialRefusedError(TmdbError):
    """TMDB does not accept the token: nothing else will work either."""


class RequestRefusedError(TmdbError):
    """TMDB says that the request itself is wrong: a defect of ours, never retried."""


class TmdbUnavailableError(TmdbError):
    """TMDB is down, or asks for a longer pause than a run should wait."""


class ExportMissingError(TmdbError):
    """There is no export of that day."""


class ExportDamagedError(TmdbError):
    """The export arrived damaged each time."""


@dataclass(frozen=True)
class Fetched:
    """A film's details as TMDB sent them."""

    tmdb_id: int
    body: Any


@dataclass(frozen=True)
class NotFound:
    """TMDB has no film of this id (any more)."""

    tmdb_id: int


@dataclass(frozen=True)
class Failed:
    """No usable answer within the attempts; the id is left for a later run."""

    tmdb_id: int
    reason: str
    sample: str


TmdbResponse = Fetched | NotFound | Failed


@dataclass(frozen=True)
class Export:
    """A day's export in a temporary file that lives as long as the `with` block."""

    url: str
    source: str  # "tmdb", or "stand-in" and the name of its world
    file: IO[bytes]

    def lines(self) -> Iterator[bytes]:
        """The export's lines, decompressed as they are read."""
        self.file.seek(0)
        with gzip.open(self.file) as unpacked:
            yield from unpacked


@dataclass(frozen=True)
class Discovered:
    """A film as TMDB's lists show it; votes are 0 to 10, None where the list has no average."""

    tmdb_id: int
    vote_count: int
    vote_average: float | None
    release_date: date | None
    original_language: str | None


@dataclass
class CallsOfAKind:
    """Calls to one endpoint that ended alike. Seconds of each, bytes as decoded, seconds waited before and after."""

    seconds: list[float] = field(default_factory=list)
    bytes: int = 0
    retries: int = 0
    seconds_waited: float = 0.0


@dataclass
class CallCounts:
    """What the calls of one session came to, by endpoint and HTTP status (or the failure's name)."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    kinds: defaultdict[tuple[str, str], CallsOfAKind] = field(default_factory=lambda: defaultdict(CallsOfAKind))

    def count(self, endpoint: str, status: str, seconds: float, size: int, waited: float) -> CallsOfAKind:
        """Count one answer, or one failure to get any; gives the kind, to add what follows from it."""
        kind = self.kinds[endpoint, status]
        kind.seconds.append(seconds)
        kind.bytes += size
        kind.seconds_waited += waited
        return kind

    @property
    def by_status(self) -> dict[str, int]:
        """How many calls ended with each status."""
        found: Counter[str] = Counter()
        for (_, status), kind in self.kinds.items():
            found[status] += len(kind.seconds)
        return dict(found)

    def table(self) -> list[dict[str, Any]]:
        """One row a kind, as pipeline.api_calls keeps it; latencies in milliseconds."""
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
