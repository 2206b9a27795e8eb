"""What the emulator answers with, and how it is sent: whole, or as badly as a fault demands.

The bodies of TMDB's and OpenAI's errors live here as well; when they are given belongs to `tmdb`,
`embeddings` and `faults`.
"""

import asyncio
import gzip
import json
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from starlette.concurrency import iterate_in_threadpool
from starlette.types import Receive, Scope, Send

Delivery = Literal["whole", "stall_head", "stall_body", "drip", "cut"]

JSON_TYPE = "application/json;charset=utf-8"
SERVER_NAME = "movie-assets-stand-in"
WORLD_HEADER = "X-Stand-In-World"
SMALLEST_GZIPPED = 500
DRIP_SECONDS = 0.4
RESET = struct.pack("ii", 1, 0)  # for SO_LINGER: closing throws away what was not sent and tells the client so
CLOSE_SECONDS = 5.0  # within which a connection that was closed is reported as gone
TRANSPORT = "stand_in.transport"  # where `server` puts the connection under a request


@dataclass(frozen=True)
class Wire:
    """Bytes for the bare connection, which is closed or reset after them."""

    content: bytes
    reset: bool = False


@dataclass(frozen=True)
class ServedResponse:
    """Status, headers and body of a reply.

    `pieces` take the place of a body that is made on the way, `wire` that of the whole reply.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Iterator[bytes] | None = None
    delivery: Delivery = "whole"
    wire: Wire | None = None


def compact_json(value: Any) -> bytes:
    """Write JSON as TMDB does: UTF-8 without spaces; half a surrogate pair, which has no UTF-8, becomes ?."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> ServedResponse:
    """Answer with a JSON body."""
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
    """TMDB's answer for one of its status codes."""
    status, message = TMDB_ERRORS[code]
    return json_response({"success": False, "status_code": code, "status_message": message}, status, headers)


def openai_error(status: int, message: str, code: str | None, kind: str = "invalid_request_error") -> ServedResponse:
    """Answer with an error in OpenAI's shape."""
    return json_response({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, answer: ServedResponse) -> None:
        super().__init__(f"answered with {answer.status}")
        self.answer = answer


def refusal(code: int) -> RefusedError:
    """Refusal with one of TMDB's status codes."""
    return RefusedError(tmdb_error(code))


class Reply:
    """Sends an answer over ASGI."""

    def __init__(self, answer: ServedResponse, *, accepts_gzip: bool, stall_seconds: float) -> None:
        self.answer = _gzipped(answer) if accepts_gzip else answer
        self.stall_seconds = stall_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send headers and body; anything but a whole delivery may end early or never."""
        answer = self.answer
        if answer.wire is not None:
            await _send_bare(answer.wire, scope[TRANSPORT], receive)
            return
        if answer.delivery == "stall_head":
            await self._stall(receive)
        headers = [(key.lower().encode(), value.encode("latin-1")) for key, value in answer.headers.items()]
        if answer.pieces is None:
            headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if answer.pieces is not None:
            async for piece in iterate_in_threadpool(answer.pieces):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        elif answer.delivery == "drip":
            await self._drip(receive, send)
        elif answer.delivery in {"stall_body", "cut"}:
            half = answer.body[: len(answer.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            if answer.delivery == "stall_body":
                await self._stall(receive)
            # Returning with the body unfinished makes the server close the connection.
        else:
            await send({"type": "http.response.body", "body": answer.body})

    async def _drip(self, receive: Receive, send: Send) -> None:
        for byte in self.answer.body:
            await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            if await _gone(receive, DRIP_SECONDS):
                return
        await send({"type": "http.response.body", "body": b""})

    async def _stall(self, receive: Receive) -> None:
        await _gone(receive, self.stall_seconds)


async def _send_bare(wire: Wire, transport: asyncio.Transport, receive: Receive) -> None:
    transport.write(wire.content)
    if wire.reset:
        await asyncio.sleep(0)  # let what was written leave first
        with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        transport.abort()
    else:
        transport.close()
    await _gone(receive, CLOSE_SECONDS)


async def _gone(receive: Receive, seconds: float) -> bool:
    """Wait for the client to leave, no longer than given; whether it left."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


def _gzipped(answer: ServedResponse) -> ServedResponse:
    if answer.pieces is not None or len(answer.body) < SMALLEST_GZIPPED or "Content-Encoding" in answer.headers:
        return answer
    headers = {**answer.headers, "Content-Encoding": "gzip", "Vary": "accept-encoding"}
    body = gzip.compress(answer.body, compresslevel=1, mtime=0)
    return replace(answer, body=body, headers=headers)
