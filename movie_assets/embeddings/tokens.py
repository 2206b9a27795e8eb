"""Upper bounds on the tokens of a text, and cutting a text that is too long, without a tokenizer's tables.

Counting with a tokenizer's tables reads files: see `embeddings.tokenizer`.
"""

from typing import Protocol

MAX_TOKENS_OF_A_TEXT = 8_191  # the longest input that OpenAI's embedding models accept
USUAL_BYTES_PER_TOKEN = 4.0  # English, by OpenAI's own rule of thumb; only for forecasts, never for limits


class TokenCounter(Protocol):
    """Counts the tokens of texts and never returns too few."""

    description: str  # how it counts, for people

    def count(self, text: str) -> int:
        """Return the number of tokens of a text, or an upper bound."""

    def cut(self, text: str, most: int) -> str:
        """Return the text, or as much of its beginning as fits into `most` tokens."""

    def estimate(self, text: str, bytes_per_token: float) -> int:
        """Return the likely number of tokens of a text, for services that do not report their usage."""


class ByteCounter:
    """Counts UTF-8 bytes, an upper bound on tokens that needs no table.

    Byte-level BPE begins with one token a byte and only ever merges, so no text has more tokens than bytes.
    English has four bytes a token, Japanese and Korean two to three. A tighter bound would depend on the merges of one
    table: a bound that a single odd text exceeds costs a refused request, a loose one only smaller requests.
    """

    description = "UTF-8 bytes, an upper bound: no text has more tokens than bytes"

    def count(self, text: str) -> int:
        """Return the bytes of the text; half of a surrogate pair counts as one byte, as it is sent as "?"."""
        return len(text) if text.isascii() else len(text.encode(errors="replace"))

    def cut(self, text: str, most: int) -> str:
        """Return the longest beginning of the text within `most` bytes that splits no character."""
        if self.count(text) <= most:
            return text
        return text.encode(errors="replace")[:most].decode(errors="ignore")

    def estimate(self, text: str, bytes_per_token: float) -> int:
        """Return the text's bytes divided by the usual bytes of a token, at least one."""
        return max(1, round(self.count(text) / bytes_per_token))
