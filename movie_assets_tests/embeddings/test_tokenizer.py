"""Exact counts are used where tiktoken and its whole table are at hand, and nothing is fetched or waited for."""

import base64
import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from movie_assets.embeddings import tokenizer
from movie_assets.embeddings.tokenizer import TiktokenCounter, counter_for
from movie_assets.embeddings.tokens import ByteCounter

MODEL = "text-embedding-3-small"
NAME = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"  # what tiktoken calls the table in its cache
TABLE = b"".join(base64.b64encode(bytes([byte])) + b" %d\n" % byte for byte in range(256))


class Bytewise:
    """A tokenizer in tiktoken's shape whose tokens are pairs of bytes."""

    def __init__(self, **given: Any) -> None:
        assert given["mergeable_ranks"][b"a"] == ord("a")

    def encode_ordinary(self, text: str) -> list[bytes]:
        raw = text.encode()
        return [raw[n : n + 2] for n in range(0, len(raw), 2)]

    def decode_bytes(self, tokens: list[bytes]) -> bytes:
        return b"".join(tokens)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with a table, and a tiktoken that can only read what it is given."""
    monkeypatch.setitem(sys.modules, "tiktoken", SimpleNamespace(Encoding=Bytewise))
    monkeypatch.setattr(tokenizer, "TABLE_DIGEST", hashlib.sha256(TABLE).hexdigest())
    path = tmp_path / NAME
    path.write_bytes(TABLE)
    return path


def test_with_its_table_tiktoken_counts(table: Path) -> None:
    counter = counter_for(MODEL, table.parent)
    assert isinstance(counter, TiktokenCounter)
    assert counter.count("abcde") == 3
    assert counter.cut("abcdé", 2) == "abcd"
    assert counter.cut("abé", 2) == "abé"


@pytest.mark.parametrize("damage", [TABLE[:-100], b"", TABLE + b"x"])
def test_a_damaged_table_is_not_used(table: Path, damage: bytes) -> None:
    table.write_bytes(damage)
    assert isinstance(counter_for(MODEL, table.parent), ByteCounter)


def test_without_a_table_bytes_are_counted(table: Path) -> None:
    assert isinstance(counter_for(MODEL, table.parent / "elsewhere"), ByteCounter)


def test_without_tiktoken_bytes_are_counted(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert isinstance(counter_for(MODEL, table.parent), ByteCounter)


def test_another_makers_model_has_a_tokenizer_that_we_do_not_know(table: Path) -> None:
    assert isinstance(counter_for("nomic-embed-text", table.parent), ByteCounter)
