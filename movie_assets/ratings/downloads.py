"""Opens files of ratings as streams of bytes: from HTTP, a folder or a zip, and only if they have changed.

`ratings.file_formats` and `ratings.movielens` parse their lines.
"""

import gzip
import io
import re
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit

import httpx

from movie_assets.http_client.backoff import seconds_asked_for
from movie_assets.http_client.retries import HttpRetries, RetryableError
from movie_assets.ratings.file_formats import UnreadableFileError

if TYPE_CHECKING:
    import pandas as pd
    from _typeshed import WriteableBuffer

ATTEMPTS = 3
TIMEOUT = httpx.Timeout(30.0)
SECONDS_PER_FILE = 1800.0
LARGEST_FILE = 2 * 2**30  # packed; MovieLens' largest release has 0.3 GB
LARGEST_UNPACKED = 8 * 2**30
LONGEST_LINE = 2**16  # a longer line is split into pieces, which are rejected
CHUNK = 500_000  # ratings at a time
GZIP = b"\x1f\x8b"
CONDITIONS = {"etag": "If-None-Match", "modified": "If-Modified-Since"}  # headers, by the kind of version
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile)


class RatingFileError(Exception):
    """A file cannot be opened or downloaded. The message names it without a password, and the reason."""


@dataclass(frozen=True)
class Opened:
    """An opened file or folder. `version` identifies its content and `made_at` is its time, both None if unknown."""

    version: str | None
    made_at: datetime | None
    path: Path | None
    file: IO[bytes] | None = None

    def lines(self) -> Iterator[bytes]:
        """Yield the lines, decompressed while they are read.

        Raises UnreadableFileError when the decompressed file is too large, RatingFileError when it is missing.
        """
        with ExitStack() as stack:
            stream = self.file or stack.enter_context(_existing(self.path).open("rb"))
            stream.seek(0)
            packed = stream.read(2) == GZIP
            stream.seek(0)
            unpacked = cast("IO[bytes]", stack.enter_context(gzip.open(stream)) if packed else stream)
            size = 0
            while line := unpacked.readline(LONGEST_LINE):
                size += len(line)
                if size > LARGEST_UNPACKED:
                    raise UnreadableFileError(f"it has more than {LARGEST_UNPACKED:,} bytes unpacked")
                yield line

    @contextmanager
    def part(self, name: str) -> Iterator["CountedLines"]:
        """Open a file of a MovieLens release, which is a folder or a zip. Raises UnreadableFileError without one."""
        with ExitStack() as stack:
            if self.path is not None and self.path.is_dir():
                stream: IO[bytes] = stack.enter_context(_existing(self.path / name).open("rb"))
            else:
                archive = stack.enter_context(zipfile.ZipFile(self.file or _existing(self.path)))
                inside = [entry for entry in archive.namelist() if entry.rpartition("/")[2] == name]
                if not inside:
                    raise UnreadableFileError(f"there is no {name} in the zip")
                stream = stack.enter_context(archive.open(min(inside, key=len)))
            yield CountedLines(stream)


class CountedLines(io.RawIOBase):
    """A stream that counts the lines read through it, so that lines skipped by a parser can be counted."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self.stream = stream
        self._ends = 0
        self._last = b"\n"

    @property
    def lines_read(self) -> int:
        """Return the number of lines read so far, including a last one without a line end."""
        return self._ends + (self._last != b"\n")

    def readable(self) -> bool:
        """Return True: `io.BufferedReader` requires it."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read the next bytes into a buffer; return how many, 0 at the end."""
        view = memoryview(buffer).cast("B")
        block = self.stream.read(len(view))
        view[: len(block)] = block
        self._ends += block.count(b"\n")
        self._last = block[-1:] or self._last
        return len(block)

    def frames(self, rows: int = CHUNK) -> "Iterator[pd.DataFrame]":
        """Yield the rows of the CSV in the stream, at most `rows` at a time, without lines with too many fields.

        Raises UnreadableFileError when the stream is no CSV.
        """
        import pandas as pd

        try:
            yield from pd.read_csv(
                io.BufferedReader(self, 2**20), chunksize=rows, encoding="utf-8-sig", encoding_errors="replace",
                on_bad_lines="skip", low_memory=False, skip_blank_lines=True,
            )  # fmt: skip
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise UnreadableFileError(f"it is no CSV ({error})") from None


@contextmanager
def opened(address: str, known: str | None = None) -> Iterator[Opened | None]:
    """Open the file or folder at an address or path; yield None if it still has the `known` version.

    Raises RatingFileError when it cannot be opened or downloaded.
    """
    if not re.match(r"https?://", address):
        path = Path(unquote(urlsplit(address).path) if address.startswith("file:") else address).expanduser()
        version, made_at = _state_of(path)
        yield None if version == known else Opened(version, made_at, path)
        return
    with tempfile.TemporaryFile() as file:
        headers = _downloaded(address, known, file)
        if headers is None:
            yield None
        else:
            yield Opened(_version_of(headers), _made_at(headers), None, file)


def shown(address: str) -> str:
    """Return an address without user, password and query, which may be secret."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return address
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _existing(path: Path | None) -> Path:
    """Return the path. Raises RatingFileError when it is no file."""
    if path is None or not path.is_file():
        raise RatingFileError(f"there is no file {path}")
    return path


def _state_of(path: Path) -> tuple[str, datetime]:
    """Return version and time of a file, or of all files in a folder. Raises RatingFileError when it is unreadable."""
    try:
        files = sorted(entry for entry in path.iterdir() if entry.is_file()) if path.is_dir() else [path]
        states = [(entry.name, entry.stat()) for entry in files]
    except OSError as error:
        raise RatingFileError(f"{path} cannot be read: {error.strerror or error}") from None
    if not states:
        raise RatingFileError(f"the folder {path} is empty")
    version = " ".join(f"{name}:{state.st_size}:{state.st_mtime_ns}" for name, state in states)
    return version, datetime.fromtimestamp(max(state.st_mtime for _, state in states), UTC)


def _downloaded(url: str, known: str | None, file: IO[bytes]) -> httpx.Headers | None:
    """Download an address to the file; return the response's headers, or None if it has the known version.

    Raises RatingFileError after the last attempt.
    """
    kind, _, value = (known or "").partition(" ")
    condition = CONDITIONS.get(kind)
    headers = {"Accept-Encoding": "identity", **({condition: value} if condition else {})}
    retries = HttpRetries(ATTEMPTS)
    with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as http:
        try:
            return retries.policy.run(lambda: _try_to_download(http, url, headers, file))
        except RetryableError as error:
            message = f"{shown(url)} could not be fetched in {retries.failures} attempts ({error})"
            raise RatingFileError(message) from None


def _try_to_download(http: httpx.Client, url: str, headers: dict[str, str], file: IO[bytes]) -> httpx.Headers | None:
    """Request an address once; return the response's headers, or None if it has the known version.

    Raises RetryableError, with no further attempts for a permanent error, or RatingFileError.
    """
    file.seek(0)
    file.truncate()
    try:
        status, received = _fetch(http, url, headers, file)
    except httpx.TransportError as error:
        raise RetryableError(type(error).__name__, ATTEMPTS) from None
    except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
        raise RatingFileError(f"{shown(url)} cannot be fetched ({type(error).__name__})") from None
    if status == httpx.codes.OK:
        return received
    if status == httpx.codes.NOT_MODIFIED and headers.keys() & set(CONDITIONS.values()):
        return None
    is_transient = status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS
    asked = seconds_asked_for(received.get("retry-after"), datetime.now(UTC))
    raise RetryableError(f"HTTP {status}", ATTEMPTS if is_transient else 1, asked)


def _fetch(http: httpx.Client, url: str, headers: dict[str, str], file: IO[bytes]) -> tuple[int, httpx.Headers]:
    """Write a response's body to the file; return its status and headers.

    Raises RatingFileError when it is too large, httpx.ReadTimeout when it takes too long.
    """
    deadline = time.monotonic() + SECONDS_PER_FILE
    with http.stream("GET", url, headers=headers) as response:
        if response.status_code == httpx.codes.OK:
            for chunk in response.iter_raw():
                file.write(chunk)
                if file.tell() > LARGEST_FILE:
                    raise RatingFileError(f"{shown(url)} is larger than {LARGEST_FILE:,} bytes")
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout(f"no whole file within {SECONDS_PER_FILE:.0f} seconds")
        return response.status_code, response.headers


def _version_of(headers: httpx.Headers) -> str | None:
    """Return the server's ETag or time of the content; None without both, so that the file is read each time."""
    if headers.get("etag"):
        return f"etag {headers['etag']}"
    return f"modified {headers['last-modified']}" if headers.get("last-modified") else None


def _made_at(headers: httpx.Headers) -> datetime | None:
    """Return the time of Last-Modified in UTC; None without a valid one."""
    try:
        modified = parsedate_to_datetime(headers.get("last-modified", ""))
    except (ValueError, TypeError):
        return None
    return modified.replace(tzinfo=modified.tzinfo or UTC).astimezone(UTC)
