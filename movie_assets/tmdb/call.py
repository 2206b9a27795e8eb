"""One request to TMDB, with a deadline and a limit on the unpacked body. Every outcome becomes a status.

`tmdb.client` decides which calls are made and repeated. Nothing here reads the meaning of a response.
"""

import asyncio
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from movie_assets.tmdb.json_values import UnusableResponseError, read_json

SECONDS_PER_CALL = 15.0
MAX_BODY_BYTES = 10 * 2**20  # unpacked
PIECE = 2**16  # unpacked at a time: 64 kB on the wire can hold 64 MB
GZIP_WINDOW = 31
NO_HTTP = "not_http"
TOO_LARGE = "too_large"
KINDS = {list: "an array", str: "a text", type(None): "null", bool: "true or false"}  # of JSON
CLOSED = ("disconnected", "peer closed")  # how httpx distinguishes a closed connection from a response that is not HTTP


@dataclass(frozen=True)
class ApiResponse:
    """The outcome of a request.

    `status` is the HTTP status or the name of the failure, `body` the decoded JSON or a text, `size` the number of
    unpacked bytes.
    """

    status: str
    body: object
    headers: httpx.Headers
    size: int
    is_json: bool = False

    @property
    def failure(self) -> tuple[str, str]:
        """Return a short code for a response that cannot be used, and a description of it."""
        if self.status != "200":
            return f"http_{self.status}", f"{self.status} {str(self.body)[:300]}"
        if not self.is_json:
            return "no_json", f"200 {str(self.body)[:300]}"
        if isinstance(self.body, dict):
            return "error_with_200", f"200 with an error: {str(self.body)[:300]}"
        kind = KINDS.get(type(self.body), "a number")
        return "wrong_shape", f"200 with {kind} instead of an object: {json.dumps(self.body)[:100]}"


@dataclass
class Ending:
    """The status of a request; if it is not one of HTTP, `message` says why."""

    status: str = ""
    message: str = ""


class TooLargeError(Exception):
    """A body is longer than any real one."""


class GzipUnpacker:
    """Unpacks gzip in pieces of a bounded size."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(GZIP_WINDOW)

    @property
    def is_at_the_end(self) -> bool:
        """Whether the whole stream was unpacked."""
        return self._stream.eof

    def unpack(self, packed: bytes) -> tuple[bytes, bytes]:
        """Return a piece of unpacked bytes, and the packed bytes that are left. Raises httpx.DecodingError."""
        try:
            return self._stream.decompress(packed, PIECE), self._stream.unconsumed_tail
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from None


async def call(http: httpx.AsyncClient, url: str, parameters: Mapping[str, str | int]) -> ApiResponse:
    """Send one GET request and return its outcome; no failure of the network raises."""
    headers = httpx.Headers()
    content = bytearray()
    with network_failures_as_status() as ending:
        async with (
            asyncio.timeout(SECONDS_PER_CALL),
            http.stream("GET", f"{url}?{urlencode(parameters)}") as response,  # httpx takes longer to add parameters
        ):
            headers = response.headers
            await _read(response, content)
            ending.status = str(response.status_code)
    if not ending.status.isdigit():
        return ApiResponse(ending.status, ending.message, headers, len(content))
    try:
        return ApiResponse(ending.status, read_json(bytes(content)), headers, len(content), is_json=True)
    except UnusableResponseError as error:
        body = f"{headers.get('content-type', 'no content type')}, {error}"
        return ApiResponse(ending.status, body, headers, len(content))


@contextmanager
def network_failures_as_status() -> Iterator[Ending]:
    """Turn failures of the network into a status; the block sets the status of a response that arrived."""
    ending = Ending()
    try:
        yield ending
    except TimeoutError:
        ending.status, ending.message = "timeout", "no whole response within the deadline"
    except TooLargeError as error:
        ending.status, ending.message = TOO_LARGE, str(error)
    except httpx.RemoteProtocolError as error:
        closed = any(words in str(error) for words in CLOSED)
        ending.status, ending.message = type(error).__name__ if closed else NO_HTTP, str(error)
    except (httpx.TransportError, httpx.DecodingError) as error:
        ending.status, ending.message = type(error).__name__, str(error)


async def _read(response: httpx.Response, content: bytearray) -> None:
    """Unpack a body piece by piece; httpx would unpack a whole chunk at once, however large it becomes.

    Raises TooLargeError beyond the limit, httpx.DecodingError for a body that cannot be unpacked.
    """
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise httpx.DecodingError(f"the body is packed by {encoding[:40]!r}, which was not requested")
    unpacker = GzipUnpacker() if encoding == "gzip" else None
    async for chunk in response.aiter_raw():
        packed = chunk
        while packed:
            piece, packed = (packed, b"") if unpacker is None else unpacker.unpack(packed)
            content += piece
            if len(content) > MAX_BODY_BYTES:
                raise TooLargeError(f"more than {MAX_BODY_BYTES:,} bytes")
    if unpacker is not None and not unpacker.is_at_the_end:
        raise httpx.DecodingError("the gzip stream ends early")
