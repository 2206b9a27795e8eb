"""Downloading TMDB's daily ID export: a whole file, or an error that says why there is none.

The asset decides which day is downloaded, and whether its lines are plausible.
"""

import asyncio
import gzip
import tempfile
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import IO

import httpx

from movie_assets.http_client.backoff import seconds_asked_for
from movie_assets.http_client.retries import HttpRetries, RetryableError
from movie_assets.tmdb.call import NO_HTTP, Ending, network_failures_as_status
from movie_assets.tmdb.export_lines import ExportCounts, read_lines
from movie_assets.tmdb.responses import (
    CallCounts,
    Export,
    ExportDamagedError,
    ExportMissingError,
    TmdbUnavailableError,
)

ATTEMPTS = 5
ATTEMPTS_AT_NO_HTTP = 2
DOWNLOADS = 3  # of a file that arrives damaged
SECONDS_PER_EXPORT = 900.0
MAX_PACKED_BYTES = 200 * 2**20  # packed; a real one has 28 MB
MAX_UNPACKED_BYTES = 2**30  # a real one has 130 MB
BLOCK = 2**20  # no line is as long
EMULATOR_SERVER = "movie-assets-stand-in"  # its header `server`


@asynccontextmanager
async def downloaded(http: httpx.AsyncClient, url: str, calls: CallCounts) -> AsyncIterator[Export]:
    """Download an export to a temporary file, whole and undamaged.

    Raises ExportMissingError when TMDB has none, ExportDamagedError when every download is damaged, and
    TmdbUnavailableError when it cannot be fetched.
    """
    with tempfile.TemporaryFile() as file:
        retries = HttpRetries(DOWNLOADS)
        try:
            headers = await retries.policy.run_async(lambda: _download_undamaged(http, url, file, calls))
        except RetryableError as damage:
            raise ExportDamagedError(f"{url} arrived damaged {retries.failures} times ({damage})") from None
        yield Export(url, _source(headers), file)


async def is_published(http: httpx.AsyncClient, url: str) -> bool:
    """Return whether an export exists, without fetching it. Raises TmdbUnavailableError when the request fails."""
    with network_failures_as_status() as ending:
        response = await http.head(url)
        if response.status_code == httpx.codes.OK:
            return True
        ending.status = str(response.status_code)
    if ending.status in ("403", "404"):
        return False
    raise TmdbUnavailableError(f"{url} could not be asked for ({ending.status} {ending.message})")


async def _download_undamaged(http: httpx.AsyncClient, url: str, file: IO[bytes], calls: CallCounts) -> httpx.Headers:
    """Download the export and return the response's headers. Raises RetryableError with the damage, if there is any."""
    headers = await _download(http, url, file, calls)
    damage = _damage_of(file)
    if damage is not None:
        raise RetryableError(damage, DOWNLOADS)
    return headers


async def _download(http: httpx.AsyncClient, url: str, file: IO[bytes], calls: CallCounts) -> httpx.Headers:
    retries = HttpRetries(ATTEMPTS)
    try:
        return await retries.policy.run_async(lambda: _try_to_download(http, url, file, calls))
    except RetryableError as error:
        message = f"{url} could not be fetched in {retries.failures} attempts ({error})"
        raise TmdbUnavailableError(message) from None


async def _try_to_download(http: httpx.AsyncClient, url: str, file: IO[bytes], calls: CallCounts) -> httpx.Headers:
    """Request the export once and return the response's headers. Raises RetryableError or ExportMissingError."""
    file.seek(0)
    file.truncate()
    loop = asyncio.get_running_loop()
    began = loop.time()
    ending, headers = await _fetch(http, url, file)
    kind = calls.count("export", ending.status, loop.time() - began, file.tell(), 0.0)
    if ending.status == "200":
        return headers
    if ending.status in ("403", "404"):
        raise ExportMissingError(f"TMDB has no export of that day ({url}: HTTP {ending.status})")
    is_no_file = ending.status == NO_HTTP or ending.status.startswith("3")
    raise RetryableError(
        f"{ending.status} {ending.message}",
        ATTEMPTS_AT_NO_HTTP if is_no_file else ATTEMPTS,
        seconds_asked_for(headers.get("retry-after"), datetime.now(UTC)),
        kind.record_retry,
    )


async def _fetch(http: httpx.AsyncClient, url: str, file: IO[bytes]) -> tuple[Ending, httpx.Headers]:
    """Write the body of one response to the file; return its status and headers."""
    # A public file needs no token, and its own gzip must not be unpacked.
    request = http.build_request("GET", url, headers={"Accept-Encoding": "identity"})
    request.headers.pop("Authorization", None)
    headers = httpx.Headers()
    with network_failures_as_status() as ending:
        async with asyncio.timeout(SECONDS_PER_EXPORT):
            response = await http.send(request, stream=True)
            try:
                if response.status_code == httpx.codes.OK:
                    async for chunk in response.aiter_raw():
                        file.write(chunk)
                        if file.tell() > MAX_PACKED_BYTES:
                            raise ExportDamagedError(f"{url} is larger than {MAX_PACKED_BYTES:,} bytes")
            finally:
                await response.aclose()
            headers = response.headers
            ending.status = str(response.status_code)
    return ending, headers


def _damage_of(file: IO[bytes]) -> str | None:
    """Describe why a file cannot be an export (status 200 can come with a cut body); None when it can be one."""
    file.seek(0)
    size, last = 0, b""
    try:
        with gzip.open(file) as unpacked:
            while block := unpacked.read(BLOCK):
                size += len(block)
                if len(block) == BLOCK and b"\n" not in block:
                    return f"a line of more than {BLOCK:,} bytes"
                if size > MAX_UNPACKED_BYTES:
                    return f"more than {MAX_UNPACKED_BYTES:,} bytes unpacked"
                last = (last + block).rpartition(b"\n")[2]
    except EOFError:
        return "gzip ends early"
    except (gzip.BadGzipFile, zlib.error) as error:
        is_html = _start(file).startswith(b"<")
        return "HTML instead of gzip" if is_html else f"gzip is corrupt: {error}"
    return f"it ends within a line: {last[:100]!r}" if _is_cut(last) else None


def _start(file: IO[bytes]) -> bytes:
    """Return the first bytes of a file, without outer blanks."""
    file.seek(0)
    return file.read(200).strip()


def _is_cut(line: bytes) -> bool:
    """Return whether the bytes after the last line break are a part of a line; they can also be a whole line."""
    counts = ExportCounts()
    for _ in read_lines([line], counts):
        pass
    return [reason for reason, _ in counts.samples] == ["not_json"]


def _source(headers: httpx.Headers) -> str:
    if headers.get("server") != EMULATOR_SERVER:
        return "tmdb"
    return f"stand-in {headers.get('x-stand-in-world', '')}".strip()
