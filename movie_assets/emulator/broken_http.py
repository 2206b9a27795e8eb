"""Replies that are wrong below JSON: what is sent is no HTTP, ends early, lies about its length or its packing.

Each function makes an answer from the right one. A lie that HTTP allows is an answer like any other; one that a
server would not send is bytes for the bare connection (`ServedResponse.wire`). When they strike is in `faults`.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from movie_assets.emulator.answers import JSON_TYPE, ServedResponse, Wire

GZIP = {"Content-Type": JSON_TYPE, "Content-Encoding": "gzip"}
BOMB_BYTES = 200_000_000
PADDING = 200_000
BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\r\n"
GZIP_HEADER = 10  # bytes before the packed data


def on_the_wire(content: bytes, *, reset: bool = False) -> ServedResponse:
    """Bytes in place of a reply; then the connection is closed, or reset."""
    return ServedResponse(200, wire=Wire(content, reset=reset))


def cut_by_reset(answer: ServedResponse) -> ServedResponse:
    """Half of the body, then the connection is reset."""
    return on_the_wire(_head(answer, len(answer.body)) + _half(answer.body), reset=True)


def cut_chunk(answer: ServedResponse) -> ServedResponse:
    """A chunked reply that ends within its first chunk."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return on_the_wire(head + f"{len(answer.body):x}\r\n".encode() + _half(answer.body))


def length_too_long(answer: ServedResponse) -> ServedResponse:
    """A Content-Length of more bytes than are sent."""
    return on_the_wire(_head(answer, len(answer.body) + 100) + answer.body)


def length_too_short(answer: ServedResponse) -> ServedResponse:
    """A Content-Length of fewer bytes than are sent."""
    return on_the_wire(_head(answer, len(answer.body) // 2) + answer.body)


def gzip_cut(answer: ServedResponse) -> ServedResponse:
    """Half of a gzip stream, and a Content-Length that is true of it."""
    return replace(answer, status=200, body=_half(gzip.compress(answer.body, mtime=0)), headers=GZIP)


def gzip_corrupt(answer: ServedResponse) -> ServedResponse:
    """A gzip stream with wrong bytes in its middle."""
    return replace(answer, status=200, body=_corrupt(gzip.compress(answer.body, mtime=0)), headers=GZIP)


def gzip_lie(answer: ServedResponse) -> ServedResponse:
    """Plain JSON under Content-Encoding: gzip."""
    return replace(answer, status=200, headers=GZIP)


def redirect_loop(_: ServedResponse) -> ServedResponse:
    """A redirect to where it came from."""
    return ServedResponse(302, b"", {"Location": "?again"})


def huge_header(answer: ServedResponse) -> ServedResponse:
    """The right reply under a header of 200 kB."""
    return replace(answer, headers={**answer.headers, "X-Padding": "x" * PADDING})


def bomb(answer: ServedResponse) -> ServedResponse:
    """Two hundred kB that unpack to 200 MB."""
    return replace(answer, status=200, body=_bomb(), headers=GZIP)


def export_bomb(answer: ServedResponse) -> ServedResponse:
    """The same as the export's file."""
    return replace(answer, body=_bomb(), pieces=None)


def corrupt_pieces(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The export's gzip stream with wrong bytes in its first piece."""
    yield _corrupt(b"".join(pieces))


def _head(answer: ServedResponse, length: int) -> bytes:
    kind = answer.headers.get("Content-Type", JSON_TYPE)
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
