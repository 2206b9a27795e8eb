"""Ways in which the lines or the gzip stream of an export can be wrong. `faults` has the table of all faults."""

from collections.abc import Callable, Iterator

CORRUPT_EVERY = 200
LAST_BYTES = 20


def half(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield every second line."""
    number = 0
    for piece in pieces:
        lines = piece.splitlines(keepends=True)
        yield b"".join(lines[number % 2 :: 2])
        number += len(lines)


def corrupt_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Cut one line in 200 in half."""
    number = 0
    for piece in pieces:
        lines = piece.splitlines(keepends=True)
        for index in range(len(lines)):
            number += 1
            if number % CORRUPT_EVERY == CORRUPT_EVERY // 2:
                lines[index] = lines[index][: len(lines[index]) // 2] + b"\n"
        yield b"".join(lines)


def without_second_half_of_last(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Cut the last piece in half."""
    return _with_last(pieces, lambda piece: piece[: len(piece) // 2])


def without_last_bytes(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Leave out the last bytes of the last piece."""
    return _with_last(pieces, lambda piece: piece[:-LAST_BYTES])


def _with_last(pieces: Iterator[bytes], change: Callable[[bytes], bytes]) -> Iterator[bytes]:
    held = next(pieces, b"")
    for piece in pieces:
        yield held
        held = piece
    yield change(held)
