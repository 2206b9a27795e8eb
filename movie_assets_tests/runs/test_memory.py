"""What a step freed goes back to the system before the next one begins."""

import sys
from pathlib import Path

import pytest

from movie_assets.runs.memory import return_freed_memory

PAGE = 4096
PIECE = 1000  # bytes; Python leaves pieces above 512 to the C library
PIECES = 60_000


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_memory_between_pieces_in_use_is_returned() -> None:
    pieces = [bytes(PIECE) for _ in range(PIECES)]
    kept = pieces[::200]
    del pieces
    before = resident()
    return_freed_memory()
    assert resident() < before - PIECES * PIECE / 2
    assert len(kept) == PIECES / 200
