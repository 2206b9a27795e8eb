"""How many tokens a text is at most, and cutting one that is too long; without a tokenizer's tables.

A tokenizer with its tables is an outside world: see `embeddings.tokenizer`.
"""

from typing import Protocol

MAX_TOKENS_OF_A_TEXT = 8_191  # OpenAI's embedding models take no longer input
USUAL_BYTES_PER_TOKEN = 4.0  # English, by OpenAI's own rule of thumb; only for forecasts, never for limits


class TokenCounter(Protocol):
    """Counts tokens, never too few."""

    says: str  # how it counts, for people

    def count(self, text: str) -> int:
        """Tokens that a text is, or more."""

    def cut(self, text: str, most: int) -> str:
        """The text, or as much of its beginning as `most` tokens hold."""

    def estimate(self, text: str, bytes_per_token: float) -> int:
        """Return the tokens that a text most likely is, for services that do not tell what they charged."""


class ByteCounter:
    """An upper bound that needs no table: UTF-8 bytes.

    Byte-level BPE begins with one token a byte and only ever merges, so no text has more tokens than bytes.
    English has four bytes a token, Japanese and Korean two to three. Anything tighter would rest on which merges a
    table has: a bound that one odd film breaks costs a refused request, a loose one only smaller requests.
    """

    says = "UTF-8 bytes, which no text has fewer of than tokens"

    def count(self, text: str) -> int:
        """Bytes of the text, halves of surrogate pairs as the three that replace them."""
        return len(text) if text.isascii() else len(text.encode(errors="replace"))

    def cut(self, text: str, most: int) -> str:
        """The longest beginning within `most` bytes that splits no character."""
        if self.count(text) <= most:
            return text
        return text.encode(errors="replace")[:most].decode(errors="ignore")

    def estimate(self, text: str, bytes_per_token: float) -> int:
        """Return the text's bytes by what a token has, at least one."""
        return max(1, round(self.count(text) / bytes_per_token))
