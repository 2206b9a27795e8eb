"""Texts that a server finds too long: which they are likely to be, and cutting them to what it takes.

A server's limit is in tokens that nobody here can count, so texts are measured in bytes: what was accepted and what was
refused so far tells how many a text may have.
"""

from collections.abc import Sequence

from movie_assets.embeddings.tokens import MAX_TOKENS_OF_A_TEXT, ByteCounter, TokenCounter

MAX_CUTS = 6  # attempts at a text, after which it is rejected
SAFE_BYTES_PER_TOKEN = 3  # most texts have more: one cut to so many fits
SURE_BYTES_PER_TOKEN = 5  # hardly any text has more: a longer one cannot fit
BYTES = ByteCounter()


class Texts:
    """The texts of one run, as they are sent."""

    def __init__(self, texts: Sequence[str], counter: TokenCounter) -> None:
        self._whole, self._counter = texts, counter
        self.sent = [counter.cut(text, MAX_TOKENS_OF_A_TEXT) for text in texts]
        self.tokens = [counter.count(text) for text in self.sent]  # at most
        self.bytes = [BYTES.count(text) for text in self.sent]
        self._most_accepted = 0
        self._too_long_from: int | None = None
        self._safe = 0  # bytes that the limit holds, if the server named it

    def is_cut(self, position: int) -> bool:
        """Whether only the beginning of a text is sent."""
        return self.sent[position] != self._whole[position]

    def estimate(self, position: int, bytes_per_token: float) -> int:
        """Tokens that a text most likely is."""
        return self._counter.estimate(self.sent[position], bytes_per_token)

    def by_length(self, positions: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The shorter half of texts and the longer one."""
        ordered = sorted(positions, key=lambda n: self.bytes[n])
        middle = len(ordered) // 2
        return tuple(ordered[:middle]), tuple(ordered[middle:])

    def accepted(self, positions: Sequence[int]) -> None:
        """Learn from texts that the server took."""
        self._most_accepted = max(self._most_accepted, *(self.bytes[n] for n in positions))

    def learn(self, limit: int | None) -> None:
        """Learn the limit in tokens that the server names, if it does."""
        if limit is not None:
            self._safe = limit * SAFE_BYTES_PER_TOKEN
            self._is_too_long(limit * SURE_BYTES_PER_TOKEN)

    def shorten(self, position: int, limit: int | None) -> bool:
        """Cut a text that was refused alone; tells whether it is worth sending again."""
        size = self.bytes[position]
        # No text has more tokens than bytes.
        if size <= (limit or 1):
            return False
        self._is_too_long(size)
        self._cut(position, self._bound(size, size // 2))
        return bool(self.sent[position].strip())

    def prepare(self, positions: Sequence[int]) -> None:
        """Cut those that are too long by what was learned."""
        if self._too_long_from is None:
            return
        # What was accepted says little about longer texts unless it comes near to what was refused.
        bound = self._bound(self._too_long_from, 0)
        bound = bound if bound >= self._too_long_from // 2 or self._safe else 0
        for position in positions if bound else ():
            if self.bytes[position] >= self._too_long_from:
                self._cut(position, bound)

    def _bound(self, size: int, guess: int) -> int:
        """Bytes below a size: as many as the server's limit holds or it took, else at least a guess."""
        known = max((known for known in (self._most_accepted, self._safe) if known < size), default=0)
        return known if 0 < self._safe < size else max(known, guess)

    def _is_too_long(self, size: int) -> None:
        self._too_long_from = min(size, self._too_long_from or size)

    def _cut(self, position: int, size: int) -> None:
        self.sent[position] = text = BYTES.cut(self.sent[position], size)
        self.tokens[position], self.bytes[position] = self._counter.count(text), BYTES.count(text)
