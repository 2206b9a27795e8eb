"""Learns which texts a server finds too long, and cuts them to a length that it accepts.

A server's limit is in tokens that cannot be counted here, so texts are measured in bytes: the accepted and the refused
texts narrow down how many bytes a text may have.
"""

from collections.abc import Sequence

from movie_assets.embeddings.tokens import MAX_TOKENS_OF_A_TEXT, ByteCounter, TokenCounter

MAX_CUTS = 6  # of a text, after which it is rejected
SAFE_BYTES_PER_TOKEN = 3  # most texts have more, so a text cut to this size fits
SURE_BYTES_PER_TOKEN = 5  # hardly any text has more, so a longer text cannot fit
BYTES = ByteCounter()


class Texts:
    """The texts of one stream as they are sent, with their tokens (upper bounds) and bytes, by position.

    `longest` is the number of tokens that the service accepts, as far as it is known.
    """

    def __init__(self, texts: Sequence[str], counter: TokenCounter, longest: int = MAX_TOKENS_OF_A_TEXT) -> None:
        self._whole, self._counter = texts, counter
        self.sent = [counter.cut(text, max(longest, MAX_TOKENS_OF_A_TEXT)) for text in texts]
        self.tokens = [counter.count(text) for text in self.sent]
        self.bytes = [BYTES.count(text) for text in self.sent]
        self._max_accepted = 0
        self._too_long_from: int | None = None
        self._safe = 0  # bytes that fit into the limit, if the server named it
        self._suspected: dict[int, int] = {}  # bytes of texts that were refused without a reason, by position
        if longest != MAX_TOKENS_OF_A_TEXT:
            self.learn(longest)

    def is_cut(self, position: int) -> bool:
        """Return whether only the beginning of a text is sent."""
        return self.sent[position] != self._whole[position]

    def estimate(self, position: int, bytes_per_token: float) -> int:
        """Return the likely number of tokens of a text."""
        return self._counter.estimate(self.sent[position], bytes_per_token)

    def by_length(self, positions: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the shorter half of texts and the longer half."""
        ordered = sorted(positions, key=lambda n: self.bytes[n])
        middle = len(ordered) // 2
        return tuple(ordered[:middle]), tuple(ordered[middle:])

    def accepted(self, positions: Sequence[int]) -> None:
        """Remember the longest text that the server accepted, and that a text was too long if its cut is accepted."""
        self._max_accepted = max(self._max_accepted, *(self.bytes[n] for n in positions))
        for position in self._suspected.keys() & set(positions):
            self._set_too_long(self._suspected.pop(position))

    def learn(self, limit: int | None) -> None:
        """Learn the limit in tokens that the server names; None is ignored."""
        if limit is not None:
            self._safe = limit * SAFE_BYTES_PER_TOKEN
            self._set_too_long(limit * SURE_BYTES_PER_TOKEN)

    def shorten(self, position: int, limit: int | None) -> bool:
        """Cut a text that was refused alone; return whether it can be sent again."""
        size = self.bytes[position]
        # No text has more tokens than bytes.
        if size <= (limit or 1):
            return False
        self._set_too_long(size)
        self._cut(position, self._bound(size, size // 2))
        return bool(self.sent[position].strip())

    def shorten_if_longest(self, position: int) -> bool:
        """Cut a text that was refused alone and without a reason, if none as long was accepted; return whether it was.

        That the text was too long is learned when the cut is accepted.
        """
        size = self.bytes[position]
        if not 0 < self._max_accepted < size:
            return False
        self._suspected[position] = size
        self._cut(position, self._bound(size, size // 2))
        return bool(self.sent[position].strip())

    def prepare(self, positions: Sequence[int]) -> None:
        """Cut the texts that are too long by what was learned so far."""
        if self._too_long_from is None:
            return
        # A much shorter text that was accepted is no evidence that longer ones are refused.
        bound = self._bound(self._too_long_from, 0)
        bound = bound if bound >= self._too_long_from // 2 or self._safe else 0
        for position in positions if bound else ():
            if self.bytes[position] >= self._too_long_from:
                self._cut(position, bound)

    def _bound(self, size: int, guess: int) -> int:
        """Return a number of bytes below a size: what the server's limit holds, or accepted, or at least a guess."""
        known = max((known for known in (self._max_accepted, self._safe) if known < size), default=0)
        return known if 0 < self._safe < size else max(known, guess)

    def _set_too_long(self, size: int) -> None:
        self._too_long_from = min(size, self._too_long_from or size)

    def _cut(self, position: int, size: int) -> None:
        self.sent[position] = text = BYTES.cut(self.sent[position], size)
        self.tokens[position], self.bytes[position] = self._counter.count(text), BYTES.count(text)
