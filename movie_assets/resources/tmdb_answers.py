"""What comes back from TMDB: answers for a film, an export, counts, and the ways in which it cannot be used.

How they are got over HTTP is `resources.tmdb`; what an answer means for a film, `core.judgement`.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any


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


Answer = Fetched | NotFound | Failed


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


@dataclass
class CallCounts:
    """What the calls of one session came to."""

    by_status: dict[str, int] = field(default_factory=dict)
    retries: int = 0
    seconds_waited: float = 0.0

    def count(self, status: str) -> None:
        """Count one answer, or one failure to get any."""
        self.by_status[status] = self.by_status.get(status, 0) + 1
