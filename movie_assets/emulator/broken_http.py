"""Responses that are wrong below JSON: no HTTP, a body that ends early, a wrong length, a wrong compression.

Each function makes a broken response from the right one. Where an HTTP server can send it, it is a response like any
other; otherwise it is bytes for the bare connection (`ServedResponse.wire`). `faults` has the table of all faults.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from movie_assets.emulator.responses import JSON_TYPE, ServedResponse, Wire

GZIP = {"Content-Type": JSON_TYPE, "Content-Encoding": "gzip"}
BOMB_BYTES = 200_000_000
PADDING = 200_000
BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\r\n"
GZIP_HEADER = 10  # bytes before the packed data


def on_the_wire(content: bytes, *, reset: bool = False) -> ServedResponse:
    """Return bytes that are sent in place of a response; the connection is then closed, or reset."""
    return ServedResponse(200, wire=Wire(content, reset=reset))


def cut_by_reset(response: ServedResponse) -> ServedResponse:
    """Send half of the body, then reset the connection."""
    return on_the_wire(_head(response, len(response.body)) + _half(response.body), reset=True)


def cut_chunk(response: ServedResponse) -> ServedResponse:
    """Return a chunked response that ends within its first chunk."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return on_the_wire(head + f"{len(response.body):x}\r\n".encode() + _half(response.body))


def length_too_long(response: ServedResponse) -> ServedResponse:
    """Return a response whose Content-Length is more than is sent."""
    return on_the_wire(_head(response, len(response.body) + 100) + response.body)


def length_too_short(response: ServedResponse) -> ServedResponse:
    """Return a response whose Content-Length is less than is sent."""
    return on_the_wire(_head(response, len(response.body) // 2) + response.body)


def gzip_cut(response: ServedResponse) -> ServedResponse:
    """Return half of a gzip stream, with the right Content-Length of that half."""
    return replace(response, status=200, body=_half(gzip.compress(response.body, mtime=0)), headers=GZIP)


def gzip_corrupt(response: ServedResponse) -> ServedResponse:
    """Return a gzip stream with wrong bytes in its middle."""
    return replace(response, status=200, body=_corrupt(gzip.compress(response.body, mtime=0)), headers=GZIP)


def gzip_lie(response: ServedResponse) -> ServedResponse:
    """Return plain JSON under Content-Encoding: gzip."""
    return replace(response, status=200, headers=GZIP)


def redirect_loop(_: ServedResponse) -> ServedResponse:
    """Return a redirect to the same address."""
    return ServedResponse(302, b"", {"Location": "?again"})


def huge_header(response: ServedResponse) -> ServedResponse:
    """Return the right response with a header of 200 kB."""
    return replace(response, headers={**response.headers, "X-Padding": "x" * PADDING})


def bomb(response: ServedResponse) -> ServedResponse:
    """Return 200 kB of gzip that unpack to 200 MB."""
    return replace(response, status=200, body=_bomb(), headers=GZIP)


def export_bomb(response: ServedResponse) -> ServedResponse:
    """Return the same 200 kB in the place of the export's file."""
    return replace(response, body=_bomb(), pieces=None)


def corrupt_pieces(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the export's gzip stream with wrong bytes in its middle."""
    yield _corrupt(b"".join(pieces))


def _head(response: ServedResponse, length: int) -> bytes:
    kind = response.headers.get("Content-Type", JSON_TYPE)
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _corrupt(packed: bytes) -> bytes:
    middle = max(GZIP_HEADER, len(packed) // 2)
    return packed[:middle] + bytes(byte ^ 0xFF for byte in packed[middle : middle + 8]) + packed[middle + 8 :]


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    block = b" " * 1_000_000
    packed = [packer.compress(block) for _ in range(BOMB_BYTES // len(block))]
    return b"".join([*packed, packer.flush()])
