"""The emulator's responses, and how they are sent: whole, or as badly as a fault demands.

The errors of TMDB and OpenAI are here, too; `tmdb`, `embeddings` and `faults` decide when they are sent.
"""

import asyncio
import gzip
import json
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from starlette.concurrency import iterate_in_threadpool
from starlette.types import Receive, Scope, Send

Delivery = Literal["whole", "stall_head", "stall_body", "drip", "cut"]

JSON_TYPE = "application/json;charset=utf-8"
SERVER_NAME = "movie-assets-stand-in"
WORLD_HEADER = "X-Stand-In-World"
SMALLEST_GZIPPED = 500
DRIP_SECONDS = 0.4
RESET = struct.pack("ii", 1, 0)  # for SO_LINGER: closing discards unsent bytes and sends a reset
CLOSE_SECONDS = 5.0  # within which the server reports a connection as closed
TRANSPORT = "emulator.transport"  # the key of the ASGI scope under which `server` puts the connection


@dataclass(frozen=True)
class Wire:
    """Bytes that are written to the bare connection, which is then closed or reset."""

    content: bytes
    reset: bool = False


@dataclass(frozen=True)
class ServedResponse:
    """Status, headers and body of a response.

    `pieces` is a body that is made while it is sent; `wire` takes the place of the whole response.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Iterator[bytes] | None = None
    delivery: Delivery = "whole"
    wire: Wire | None = None


def compact_json(value: object) -> bytes:
    """Return JSON as TMDB writes it: UTF-8 without spaces; half a surrogate pair, which has no UTF-8, becomes ?."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> ServedResponse:
    """Return a response with a JSON body."""
    return ServedResponse(status, compact_json(value), {"Content-Type": JSON_TYPE, **(headers or {})})


TMDB_ERRORS: dict[int, tuple[int, str]] = {
    5: (422, "Invalid parameters: Your request parameters are incorrect."),
    7: (401, "Invalid API key: You must be granted a valid key."),
    11: (500, "Internal error: Something went wrong, contact TMDB."),
    20: (422, "Invalid date range: Should be a range no longer than 14 days."),
    22: (400, "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer."),
    24: (504, "Your request to the backend server timed out. Try again."),
    25: (429, "Your request count (#) is over the allowed limit of (40)."),
    27: (400, "Too many append to response objects: The maximum number of remote calls is 20."),
    34: (404, "The resource you requested could not be found."),
    43: (503, "Couldn't connect to the backend server."),
}


def tmdb_error(code: int, headers: Mapping[str, str] | None = None) -> ServedResponse:
    """Return TMDB's response for one of its own status codes."""
    status, message = TMDB_ERRORS[code]
    return json_response({"success": False, "status_code": code, "status_message": message}, status, headers)


def openai_error(status: int, message: str, code: str | None, kind: str = "invalid_request_error") -> ServedResponse:
    """Return an error in OpenAI's shape."""
    return json_response({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)


class RefusedError(Exception):
    """The request is refused; `response` is the error to send."""

    def __init__(self, response: ServedResponse) -> None:
        super().__init__(f"refused with {response.status}")
        self.response = response


def refusal(code: int) -> RefusedError:
    """Return the exception that refuses a request with one of TMDB's status codes."""
    return RefusedError(tmdb_error(code))


class ResponseSender:
    """The ASGI application that sends one response."""

    def __init__(self, response: ServedResponse, *, accepts_gzip: bool, stall_seconds: float) -> None:
        self.response = _gzipped(response) if accepts_gzip else response
        self.stall_seconds = stall_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send headers and body. Only the delivery `whole` sends everything."""
        response = self.response
        if response.wire is not None:
            await _send_bare(response.wire, scope[TRANSPORT], receive)
            return
        if response.delivery == "stall_head":
            await self._stall(receive)
        headers = [(key.lower().encode(), value.encode("latin-1")) for key, value in response.headers.items()]
        if response.pieces is None:
            headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        if response.pieces is not None:
            async for piece in iterate_in_threadpool(response.pieces):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        elif response.delivery == "drip":
            await self._drip(receive, send)
        elif response.delivery in {"stall_body", "cut"}:
            half = response.body[: len(response.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            if response.delivery == "stall_body":
                await self._stall(receive)
            # Returning with the body unfinished makes the server close the connection.
        else:
            await send({"type": "http.response.body", "body": response.body})

    async def _drip(self, receive: Receive, send: Send) -> None:
        for byte in self.response.body:
            await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            if await _client_left(receive, DRIP_SECONDS):
                return
        await send({"type": "http.response.body", "body": b""})

    async def _stall(self, receive: Receive) -> None:
        await _client_left(receive, self.stall_seconds)


async def _send_bare(wire: Wire, transport: asyncio.Transport, receive: Receive) -> None:
    transport.write(wire.content)
    if wire.reset:
        await asyncio.sleep(0)  # let what was written leave first
        with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        transport.abort()
    else:
        transport.close()
    await _client_left(receive, CLOSE_SECONDS)


async def _client_left(receive: Receive, seconds: float) -> bool:
    """Wait until the client disconnects, for `seconds` at most, and return whether it did."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


def _gzipped(response: ServedResponse) -> ServedResponse:
    if response.pieces is not None or len(response.body) < SMALLEST_GZIPPED or "Content-Encoding" in response.headers:
        return response
    headers = {**response.headers, "Content-Encoding": "gzip", "Vary": "accept-encoding"}
    body = gzip.compress(response.body, compresslevel=1, mtime=0)
    return replace(response, body=body, headers=headers)
