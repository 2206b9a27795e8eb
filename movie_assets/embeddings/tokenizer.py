"""Exact token counts where tiktoken and its table are on this machine; nothing is ever downloaded.

tiktoken itself would fetch a table that it does not find, and hang where there is no internet. This module reads the
table from tiktoken's own cache, and uses it only if its digest is right. The estimate without it is in
`embeddings.tokens`.
"""

import base64
import hashlib
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

from movie_assets.embeddings.tokens import ByteCounter, TokenCounter

# OpenAI's embedding models share one table; names and digests are those of tiktoken_ext/openai_public.py.
MODELS = ("text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002")
TABLE = "cl100k_base"
TABLE_URL = f"https://openaipublic.blob.core.windows.net/encodings/{TABLE}.tiktoken"
TABLE_DIGEST = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|"
    r"\s*[\r\n]|\s+(?!\S)|\s"
)


class Encoding(Protocol):
    """The part of `tiktoken.Encoding` that is used here."""

    def encode_ordinary(self, text: str) -> Sequence[int]:
        """Return the tokens of a text."""

    def decode_bytes(self, tokens: Sequence[int]) -> bytes:
        """Return the UTF-8 bytes of tokens."""


class TiktokenCounter:
    """Counts tokens as OpenAI does."""

    description = f"tiktoken ({TABLE})"

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding

    def count(self, text: str) -> int:
        """Return the number of tokens of the text."""
        return len(self._encoding.encode_ordinary(text))

    def estimate(self, text: str, bytes_per_token: float) -> int:  # noqa: ARG002  # counted, not estimated
        """Return the number of tokens of the text."""
        return self.count(text)

    def cut(self, text: str, most: int) -> str:
        """Return the text, or its first `most` tokens without a character that they split."""
        # No text has more tokens than bytes, and no token of this table more than 128.
        if len(text.encode(errors="replace")) <= most:
            return text
        tokens = self._encoding.encode_ordinary(text)
        if len(tokens) <= most:
            return text
        return self._encoding.decode_bytes(tokens[:most]).decode(errors="ignore")


def counter_for(model: str, tables: Path | None) -> TokenCounter:
    """Return the most exact counter that this machine has for a model, without a request to any service.

    `tables` is the folder of tiktoken's cache (TIKTOKEN_CACHE_DIR); None means tiktoken's default folder.
    """
    if model not in MODELS:
        return ByteCounter()
    folder = tables or Path(tempfile.gettempdir()) / "data-gym-cache"
    encoding = _encoding(folder / hashlib.sha1(TABLE_URL.encode(), usedforsecurity=False).hexdigest())
    return ByteCounter() if encoding is None else TiktokenCounter(encoding)


@cache
def _encoding(table: Path) -> Encoding | None:
    """Return the encoding of a table; None if tiktoken is not installed, or the table is missing or damaged."""
    try:
        import tiktoken  # noqa: PLC0415  # an optional dependency

        content = table.read_bytes()
    except (ImportError, OSError):
        return None
    if hashlib.sha256(content).hexdigest() != TABLE_DIGEST:
        return None
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in content.splitlines())}
    encoding: Encoding = tiktoken.Encoding(name=TABLE, pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})
    return encoding
