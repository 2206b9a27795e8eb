"""One request to TMDB: within its deadline, its body bounded while it is unpacked, every end of it a status.

Which calls are made, paced and made again is `tmdb.client`; what a body means is not asked here.
"""

import asyncio
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from movie_assets.tmdb.movies import UnusableResponseError, read_json

SECONDS_PER_CALL = 15.0
LARGEST_BODY = 10 * 2**20  # unpacked
PIECE = 2**16  # unpacked at a time: 64 kB on the wire can hold 64 MB
GZIP_WINDOW = 31
NO_HTTP = "not_http"
TOO_LARGE = "too_large"
KINDS = {list: "an array", str: "a text", type(None): "null", bool: "true or false"}  # of JSON
CLOSED = ("disconnected", "peer closed")  # how httpx tells a connection that ended from a reply that is no HTTP


@dataclass(frozen=True)
class Reply:
    """How a request ended: HTTP status or the failure's name, JSON or a text, headers, bytes as unpacked."""

    status: str
    body: Any
    headers: httpx.Headers
    size: int
    is_json: bool = False

    @property
    def failure(self) -> tuple[str, str]:
        """A short code for an answer that cannot be used, and what came instead, in words."""
        if self.status != "200":
            return f"http_{self.status}", f"{self.status} {str(self.body)[:300]}"
        if not self.is_json:
            return "no_json", f"200 {str(self.body)[:300]}"
        if isinstance(self.body, dict):
            return "error_with_200", f"200 with an error: {str(self.body)[:300]}"
        kind = KINDS.get(type(self.body), "a number")
        return "wrong_shape", f"200 with {kind} where an object belongs: {json.dumps(self.body)[:100]}"


@dataclass
class Ending:
    """A request's status, and in words why there is none of HTTP's."""

    status: str = ""
    message: str = ""


class TooLargeError(Exception):
    """A body that is longer than any real one."""


async def call(http: httpx.AsyncClient, url: str, parameters: dict[str, str | int]) -> Reply:
    """Ask once; whatever happens to the request becomes a reply."""
    headers = httpx.Headers()
    content = bytearray()
    with network_failures_as_status() as ending:
        async with (
            asyncio.timeout(SECONDS_PER_CALL),
            http.stream("GET", url, params=parameters) as response,
        ):
            headers = response.headers
            await _read(response, content)
            ending.status = str(response.status_code)
    if not ending.status.isdigit():
        return Reply(ending.status, ending.message, headers, len(content))
    try:
        return Reply(ending.status, read_json(bytes(content)), headers, len(content), is_json=True)
    except UnusableResponseError as error:
        body = f"{headers.get('content-type', 'no content type')}, {error}"
        return Reply(ending.status, body, headers, len(content))


@contextmanager
def network_failures_as_status() -> Iterator[Ending]:
    """Turn what the network does into a status; the reply's own status is put there when one came."""
    ending = Ending()
    try:
        yield ending
    except TimeoutError:
        ending.status, ending.message = "timeout", "no whole answer within the deadline"
    except TooLargeError as error:
        ending.status, ending.message = TOO_LARGE, str(error)
    except httpx.RemoteProtocolError as error:
        closed = any(words in str(error) for words in CLOSED)
        ending.status, ending.message = type(error).__name__ if closed else NO_HTTP, str(error)
    except (httpx.TransportError, httpx.DecodingError) as error:
        ending.status, ending.message = type(error).__name__, str(error)


async def _read(response: httpx.Response, content: bytearray) -> None:
    """Unpack a body piece by piece; httpx would unpack whatever one read brings, however much that is."""
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise httpx.DecodingError(f"the body is packed by {encoding[:40]!r}, which was not asked for")
    unpacker = zlib.decompressobj(GZIP_WINDOW) if encoding == "gzip" else None
    async for chunk in response.aiter_raw():
        packed = chunk
        while packed:
            piece, packed = _unpacked(unpacker, packed)
            content += piece
            if len(content) > LARGEST_BODY:
                raise TooLargeError(f"more than {LARGEST_BODY:,} bytes")
    if unpacker is not None and not unpacker.eof:
        raise httpx.DecodingError("the gzip stream ends early")


def _unpacked(unpacker: Any, packed: bytes) -> tuple[bytes, bytes]:
    """Some bytes of the body and what is left to unpack."""
    if unpacker is None:
        return packed, b""
    try:
        return unpacker.decompress(packed, PIECE), unpacker.unconsumed_tail
    except zlib.error as error:
        raise httpx.DecodingError(str(error)) from None
